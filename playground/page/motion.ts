/** True where the user asks for less motion. Then nothing starts by itself, and no drawing grows. */
export const prefersReducedMotion = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;
