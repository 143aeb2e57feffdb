// The recipe for Hono, with one more route, which stands for the callback of an app's login.
import app, {signIn} from '../../../playground/recipes/hono.ts';

export {TokenVault} from '../../../playground/recipes/hono.ts';

app.post('/callback', async context => {
	await signIn(context, await context.req.json());
	return context.body(null, 204);
});

export default app;
