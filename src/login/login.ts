export {createLogin} from './create-login.ts';
export {deviceLogin} from './device-login.ts';
export {discover} from './discover.ts';
export {LoginError} from '../errors.ts';

export type {Login, LogoutOptions} from './create-login.ts';
export type {DeviceLoginOptions, DevicePrompt} from './device-login.ts';
export type {AuthorizationServer, DiscoveryOptions} from './discover.ts';
export type {IdTokenClaims} from './id-token.ts';
export type {FinishedLogin, LoginOptions, StartOptions} from './login-flow.ts';
export type {LoginClient} from './login-options.ts';
export type {LoginStorage} from './login-storage.ts';
export type {ServerMetadata} from '../oauth/server-metadata.ts';
