import {resolve} from 'node:path';
import ts from 'typescript';

/** An export or a member of one, and its doc comment. */
export interface Entry {
	/** For example `AuthOptions.leeway`. */
	readonly name: string;
	/** The file of its declaration, relative to the folder of the package. */
	readonly file: string;
	/** The doc comment up to its first tag. */
	readonly text: string;
	/** The texts of each tag, by its name without the @. */
	readonly tags: Readonly<Record<string, readonly string[] | undefined>>;
	readonly isOptional: boolean;
	/** Whether it is a number, or a function that returns one. */
	readonly isNumber: boolean;
	/** Whether it is a function that returns a promise. */
	readonly isAsync: boolean;
}

interface Reader {
	readonly checker: ts.TypeChecker;
	/** Whether the node belongs to the package that is read. */
	readonly isOurs: (node: ts.Node) => boolean;
}

/** Reads the declarations of the package's entry points, as an editor does. */
export function readReference(folder: string, entryPoints: readonly string[]): Entry[] {
	const root = `${resolve(folder)}/`;
	const paths = entryPoints.map(file => resolve(file));
	const program = ts.createProgram(paths, {
		target: ts.ScriptTarget.ES2022,
		module: ts.ModuleKind.NodeNext,
		lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
		types: [],
		strict: true,
	});
	const checker = program.getTypeChecker();
	const isOurs = (node: ts.Node): boolean => node.getSourceFile().fileName.startsWith(root);
	const fileOf = (node: ts.Node): string => node.getSourceFile().fileName.slice(root.length);
	return paths.flatMap(path => {
		const source = program.getSourceFile(path);
		const module = source && checker.getSymbolAtLocation(source);
		if (!module) throw new Error(`${path} is missing, or exports nothing`);
		return checker.getExportsOfModule(module).flatMap(symbol => {
			const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
			return (target.declarations ?? []).flatMap(declaration =>
				entriesOf({checker, isOurs}, declaration, symbol.name).map(entry => ({...entry, file: fileOf(declaration)})),
			);
		});
	});
}

/** Returns the entry of a declaration and those of all its members, including inherited ones. */
function entriesOf(reader: Reader, declaration: ts.Declaration, name: string): Omit<Entry, 'file'>[] {
	const entry = entryOf(reader, declaration, name);
	const members = [declaration, ...basesOf(reader, declaration)].flatMap(membersOf);
	return [
		entry,
		...members.flatMap(member => {
			const memberName = ts.getNameOfDeclaration(member)?.getText() ?? 'constructor';
			const [first, ...rest] = entriesOf(reader, member, `${name}.${memberName}`);
			if (!first) return rest;
			// The doc comment of the function may describe the option, as a `@param`.
			const described = entry.tags['param']?.find(words => words.split(' ')[0]?.endsWith(`.${memberName}`));
			return [{...first, text: first.text || (described ?? '')}, ...rest];
		}),
	];
}

function entryOf({checker}: Reader, declaration: ts.Declaration, name: string): Omit<Entry, 'file'> {
	const symbol = checker.getSymbolAtLocation(ts.getNameOfDeclaration(declaration) ?? declaration);
	const own = ts.getJSDocCommentsAndTags(declaration).find(ts.isJSDoc);
	// A member without a doc comment inherits the text of the class that its class extends.
	const text = ts.getTextOfJSDocComment(own?.comment) ?? (own ? '' : inheritedText(checker, symbol));
	const tags = Object.groupBy(
		ts.getJSDocTags(declaration).map(tag => [tag.tagName.text, wordsOf(tag)] as const),
		([tag]) => tag,
	);
	const type = checker.getNonNullableType(checker.getTypeAtLocation(declaration));
	const results = type.getCallSignatures().map(signature => checker.typeToString(signature.getReturnType()));
	const isNumber = [checker.typeToString(type), ...results].includes('number');
	return {
		name,
		text: text.trim(),
		tags: Object.fromEntries(Object.entries(tags).map(([tag, list = []]) => [tag, list.map(([, words]) => words)])),
		isOptional: 'questionToken' in declaration && declaration.questionToken !== undefined,
		isNumber,
		isAsync: results.some(result => result.startsWith('Promise<')),
	};
}

function inheritedText(checker: ts.TypeChecker, symbol: ts.Symbol | undefined): string {
	return ts.displayPartsToString(symbol?.getDocumentationComment(checker));
}

/** Returns the whole text of a tag. TypeScript parses the error of a `@throws` as a type, and a URL as a name. */
function wordsOf(tag: ts.JSDocTag): string {
	return tag
		.getText()
		.replace(/^@\w+\s*/, '')
		.replaceAll(/\s*\n\s*\*?\s*/g, ' ')
		.trim();
}

/** Returns the declarations in the package that an interface extends. */
function basesOf({checker, isOurs}: Reader, declaration: ts.Declaration): ts.Declaration[] {
	if (!ts.isInterfaceDeclaration(declaration)) return [];
	const types = (declaration.heritageClauses ?? []).flatMap(({types}) => types);
	return types
		.flatMap(type => checker.getTypeAtLocation(type).symbol.declarations ?? [])
		.filter(isOurs)
		.flatMap(base => [base, ...basesOf({checker, isOurs}, base)]);
}

/** Returns the direct members of a declaration, or those of a type that is written inside it. */
function membersOf(declaration: ts.Node): ts.Declaration[] {
	const members: ts.Declaration[] = [];
	ts.forEachChild(declaration, child => {
		if (isMember(child)) members.push(...(hasPrivateName(child) ? [] : [child]));
		else members.push(...membersOf(child));
	});
	return members;
}

function isMember(node: ts.Node): node is ts.ClassElement | ts.TypeElement {
	const isSignature = ts.isCallSignatureDeclaration(node) || ts.isIndexSignatureDeclaration(node);
	return (ts.isClassElement(node) || ts.isTypeElement(node)) && !isSignature;
}

function hasPrivateName({name}: ts.ClassElement | ts.TypeElement): boolean {
	return name !== undefined && ts.isPrivateIdentifier(name);
}
