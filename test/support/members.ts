import {globSync, readFileSync} from 'node:fs';
import ts from 'typescript';

/** Returns the member names of every interface and class of src, by the name of the interface or class. */
export function membersOfSource(): ReadonlyMap<string, readonly string[]> {
	const members = new Map<string, readonly string[]>();
	const visit = (node: ts.Node): void => {
		if ((ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node)) && node.name) {
			const names = [...node.members].map(({name}) => (name && ts.isIdentifier(name) ? name.text : ''));
			members.set(node.name.text, [...(members.get(node.name.text) ?? []), ...names.filter(Boolean)]);
		}
		ts.forEachChild(node, visit);
	};
	for (const file of globSync('src/**/*.ts')) {
		visit(ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest));
	}
	return members;
}
