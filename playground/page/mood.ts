/**
How the token endpoint can behave. `slow`: it waits before it does its work. `late`: it does its work at once, and answers
later. `lossy`: it does its work, and its answer is lost.
*/
export const moods = ['normal', 'slow', 'late', 'unavailable', 'busy', 'lossy'] as const;

/** One way in which the token endpoint can behave. */
export type Mood = (typeof moods)[number];
