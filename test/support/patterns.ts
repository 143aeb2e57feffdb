import {globSync, readFileSync} from 'node:fs';
import ts from 'typescript';
import type {Pattern} from './regexp-steps.ts';

/** A regular expression of src, and its position. */
export interface SourcePattern extends Pattern {
	readonly file: string;
}

/**
Returns every regular expression of src: the literals, and those that are built from constants. Throws if one is built from anything else.
*/
export function patternsOfSource(): SourcePattern[] {
	return globSync('src/**/*.ts')
		.toSorted()
		.flatMap(file => patternsOf(file, readFileSync(file, 'utf8')));
}

/** Returns the regular expressions of a text. */
export function patternsOf(file: string, text: string): SourcePattern[] {
	const found: SourcePattern[] = [];
	const constants = new Map<string, ts.Expression>();
	const visit = (node: ts.Node): void => {
		if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer) {
			constants.set(node.name.text, node.initializer);
		}
		if (ts.isRegularExpressionLiteral(node)) {
			const end = node.text.lastIndexOf('/');
			found.push({file, source: node.text.slice(1, end), flags: node.text.slice(end + 1)});
		}
		if ((ts.isNewExpression(node) || ts.isCallExpression(node)) && node.expression.getText() === 'RegExp') {
			const [source = '', flags = ''] = (node.arguments ?? []).map(textOf);
			found.push({file, source, flags});
		}
		ts.forEachChild(node, visit);
	};

	const textOf = (node: ts.Expression | undefined): string => {
		if (node && ts.isStringLiteralLike(node)) return node.text;
		if (node && ts.isTemplateExpression(node)) {
			return node.head.text + node.templateSpans.map(span => textOf(span.expression) + span.literal.text).join('');
		}
		if (node && ts.isIdentifier(node)) return textOf(constants.get(node.text));
		throw new Error(`${file}: a pattern that is made of ${node?.getText() ?? 'nothing'}`);
	};

	visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
	return found;
}
