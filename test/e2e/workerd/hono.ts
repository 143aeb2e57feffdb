// The recipe for Hono, with the one route that an app has for its login: here the test is the login.
import app, {signIn} from '../../../playground/recipes/hono.ts';

export {TokenVault} from '../../../playground/recipes/hono.ts';

app.post('/callback', async context => {
	await signIn(context, await context.req.json());
	return context.body(null, 204);
});

export default app;
