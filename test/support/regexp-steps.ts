/** The source and the flags of a regular expression. */
export interface Pattern {
	readonly source: string;
	readonly flags: string;
}

/** The number of steps of a search, and the end of the match. */
export interface Search {
	readonly steps: number;
	readonly end: number | undefined;
}

type Node =
	| {readonly kind: 'character'; readonly isRight: (character: string) => boolean}
	| {readonly kind: 'place'; readonly isRight: (text: string, position: number) => boolean}
	| {readonly kind: 'look'; readonly ahead: Node; readonly isNot: boolean}
	| {readonly kind: 'all' | 'any'; readonly nodes: readonly Node[]}
	| {readonly kind: 'repeat'; readonly node: Node; readonly least: number; readonly most: number};

type Instruction =
	| Extract<Node, {readonly kind: 'character' | 'place'}>
	| {readonly kind: 'look'; readonly ahead: Program; readonly isNot: boolean}
	/** Continues with the next instruction. If that fails, continues with `otherwise`. */
	| {readonly kind: 'fork'; otherwise: number}
	| {readonly kind: 'jump'; to: number}
	| {readonly kind: 'found'};

type Program = readonly Instruction[];

/**
A regular expression engine that backtracks like those of the runtimes, and counts its steps. It has no optimisations, so it counts the
worst case. It knows only the syntax that src uses, and throws for any other.
*/
export function compile({source, flags}: Pattern): (text: string, from?: number) => Search {
	const program: Instruction[] = [];
	emit(parse(source, flags), program);
	program.push({kind: 'found'});
	return (text, from = 0) => {
		const counter = {steps: 0};
		for (let start = from; start <= text.length; start++) {
			const end = run(program, text, start, counter);
			if (end !== undefined || flags.includes('y')) return {steps: counter.steps, end};
		}
		return {steps: counter.steps, end: undefined};
	};
}

function emit(node: Node, program: Instruction[]): void {
	const add = <Made extends Instruction>(made: Made): Made => {
		program.push(made);
		return made;
	};
	const fork = () => add({kind: 'fork', otherwise: 0});
	const jump = (to = 0) => add({kind: 'jump', to});
	switch (node.kind) {
		case 'all':
			for (const part of node.nodes) emit(part, program);
			break;
		case 'any': {
			const ends = node.nodes.map((part, index) => {
				const choice = index < node.nodes.length - 1 ? fork() : undefined;
				emit(part, program);
				const end = jump();
				if (choice) choice.otherwise = program.length;
				return end;
			});
			for (const end of ends) end.to = program.length;
			break;
		}
		case 'repeat': {
			for (let count = 0; count < node.least; count++) emit(node.node, program);
			const begin = program.length;
			const choices = Array.from({length: node.most === Infinity ? 1 : node.most - node.least}, () => {
				const choice = fork();
				emit(node.node, program);
				return choice;
			});
			if (node.most === Infinity) jump(begin);
			for (const choice of choices) choice.otherwise = program.length;
			break;
		}
		case 'look': {
			const ahead: Instruction[] = [];
			emit(node.ahead, ahead);
			add({...node, ahead: [...ahead, {kind: 'found'}]});
			break;
		}
		case 'character':
		case 'place':
			add(node);
			break;
		default:
			node satisfies never;
	}
}

function run(program: Program, text: string, start: number, counter: {steps: number}): number | undefined {
	const waiting = [{place: 0, position: start}];
	for (let branch = waiting.pop(); branch; branch = waiting.pop()) {
		let {place, position} = branch;
		for (let isRight = true; isRight; place++) {
			const instruction = program[place];
			counter.steps++;
			switch (instruction?.kind) {
				case 'fork':
					waiting.push({place: instruction.otherwise, position});
					break;
				case 'jump':
					place = instruction.to - 1;
					break;
				case 'character':
					isRight = position < text.length && instruction.isRight(text.charAt(position));
					position++;
					break;
				case 'place':
					isRight = instruction.isRight(text, position);
					break;
				case 'look':
					isRight = (run(instruction.ahead, text, position, counter) === undefined) === instruction.isNot;
					break;
				case 'found':
				case undefined:
					return position;
				default:
					return instruction satisfies never;
			}
		}
	}
	return undefined;
}

const nativeExec = RegExp.prototype.exec;

/** Parses a pattern. The runtime decides which characters a class or an escape matches. */
function parse(source: string, flags: string): Node {
	let rest = source;
	const read = (pattern: RegExp): string | undefined => {
		const found = nativeExec.call(pattern, rest)?.[0];
		rest = rest.slice(found?.length ?? 0);
		return found;
	};

	const readAny = (): Node => {
		const nodes = [readAll()];
		while (read(/^\|/)) nodes.push(readAll());
		return {kind: 'any', nodes};
	};

	const readAll = (): Node => {
		const nodes: Node[] = [];
		while (rest !== '' && !/^[|)]/.test(rest)) nodes.push(readRepeated(readOne()));
		return {kind: 'all', nodes};
	};

	const readOne = (): Node => {
		if (read(/^\^/)) return {kind: 'place', isRight: (_, position) => position === 0};
		if (read(/^\$/)) return {kind: 'place', isRight: (text, position) => position === text.length};
		if (read(/^\\b/))
			return {kind: 'place', isRight: (text, at) => isWord(text.charAt(at - 1)) !== isWord(text.charAt(at))};
		const group = read(/^\((?:\?[:=!])?/);
		if (group) {
			const ahead = readAny();
			if (!read(/^\)/)) throw new SyntaxError(`A group without an end: ${source}`);
			return group.length === 3 && group !== '(?:' ? {kind: 'look', ahead, isNot: group === '(?!'} : ahead;
		}
		const one = read(/^(?:\[(?:\\.|[^\]\\])*\]|\\p\{\w+\}|\\u[\dA-F]{4}|\\x[\dA-F]{2}|\\[^]|[^*+?{])/i);
		if (!one || /^\\[1-9BPk]/.test(one)) throw new SyntaxError(`Not known here: ${rest} of ${source}`);
		return {kind: 'character', isRight: remember(new RegExp(`^${one}$`, flags.replaceAll(/[gy]/g, '')))};
	};

	const readRepeated = (node: Node): Node => {
		const count = read(/^(?:[*+?]|\{\d+(?:,\d*)?\})/);
		if (!count) return node;
		if (read(/^\?/)) throw new SyntaxError(`Not known here: the least of ${source}`);
		const [least = 0, most = count.includes(',') ? Infinity : least] = count
			.slice(1, -1)
			.split(',')
			.filter(Boolean)
			.map(Number);
		const [from, to] = {'*': [0, Infinity], '+': [1, Infinity], '?': [0, 1]}[count] ?? [least, most];
		return {kind: 'repeat', node, least: from ?? 0, most: to ?? 0};
	};

	const whole = readAny();
	if (rest !== '') throw new SyntaxError(`Not known here: ${rest} of ${source}`);
	return whole;
}

const isWord = (character: string): boolean => nativeExec.call(/^\w$/, character) !== null;

/** Caches whether the pattern matches each character. */
function remember(pattern: RegExp): (character: string) => boolean {
	const known = new Map<string, boolean>();
	return character => {
		const isRight = known.get(character) ?? nativeExec.call(pattern, character) !== null;
		known.set(character, isRight);
		return isRight;
	};
}
