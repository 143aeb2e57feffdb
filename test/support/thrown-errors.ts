import {resolve} from 'node:path';
import ts from 'typescript';

/**
Returns the errors that each exported function of these files throws directly. It includes those of package functions that it calls by name.
It leaves out what inner functions throw, because they may run later.
*/
export function readThrows(files: readonly string[]): Map<string, string[]> {
	const paths = files.map(file => resolve(file));
	const program = ts.createProgram(paths, {allowImportingTsExtensions: true, noEmit: true, strict: true, types: []});
	const checker = program.getTypeChecker();
	const modules = paths.map(path => program.getSourceFile(path)).filter(source => source !== undefined);
	const symbols = modules.map(source => checker.getSymbolAtLocation(source)).filter(symbol => symbol !== undefined);
	const found = new Map<string, string[]>();
	for (const symbol of symbols.flatMap(module => checker.getExportsOfModule(module))) {
		const body = bodyOf(checker, symbol);
		if (body) found.set(symbol.name, [...new Set(thrownIn(checker, body, new Set()))].toSorted());
	}
	return found;
}

/** Returns the body of the function that a name refers to. */
function bodyOf(checker: ts.TypeChecker, symbol: ts.Symbol | undefined): ts.Node | undefined {
	if (!symbol) return undefined;
	const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
	const declaration = target.valueDeclaration;
	if (!declaration || declaration.getSourceFile().isDeclarationFile) return undefined;
	if (ts.isFunctionDeclaration(declaration)) return declaration.body;
	const value = ts.isVariableDeclaration(declaration) ? declaration.initializer : undefined;
	return value && ts.isArrowFunction(value) ? value.body : undefined;
}

function* thrownIn(checker: ts.TypeChecker, node: ts.Node, seen: Set<ts.Node>): Generator<string> {
	if (seen.has(node) || ts.isFunctionLike(node)) return;
	seen.add(node);
	// Errors inside a `try` with a `catch` are not thrown.
	if (ts.isTryStatement(node) && node.catchClause) {
		yield* thrownIn(checker, node.catchClause, seen);
		return;
	}
	if (ts.isThrowStatement(node) && ts.isNewExpression(node.expression)) yield node.expression.expression.getText();
	if (ts.isCallExpression(node)) {
		const body = bodyOf(checker, checker.getSymbolAtLocation(node.expression));
		if (body) yield* thrownIn(checker, body, seen);
	}
	const children: ts.Node[] = [];
	ts.forEachChild(node, child => void children.push(child));
	for (const child of children) yield* thrownIn(checker, child, seen);
}
