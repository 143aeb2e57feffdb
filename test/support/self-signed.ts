import {generateKeyPairSync, sign} from 'node:crypto';

/** A private key and a self-signed certificate, in PEM. */
export interface SelfSigned {
	readonly key: string;
	readonly cert: string;
}

/** Encodes one value of ASN.1 in DER. It must be shorter than 64 kB. */
function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
	const content = Buffer.concat(parts);
	const {length} = content;
	const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
	return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...parts: readonly Uint8Array[]): Uint8Array => der(0x30, ...parts);
const text = (tag: number, value: string): Uint8Array => der(tag, Buffer.from(value));
const object = (...bytes: readonly number[]): Uint8Array => der(0x06, Buffer.from(bytes));

/** Creates a certificate: X.509 version 1, for `localhost`, valid until 2049 (RFC 5280 §4.1). */
export function createSelfSigned(): SelfSigned {
	const {privateKey, publicKey} = generateKeyPairSync('ec', {namedCurve: 'P-256'});
	const ecdsaWithSha256 = sequence(object(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
	const name = sequence(der(0x31, sequence(object(0x55, 0x04, 0x03), text(0x0c, 'localhost'))));
	const validity = sequence(text(0x17, '200101000000Z'), text(0x17, '491231235959Z'));
	const serial = der(0x02, Buffer.from([1]));
	const spki = publicKey.export({type: 'spki', format: 'der'});
	const body = sequence(serial, ecdsaWithSha256, name, validity, name, spki);
	const signature = der(0x03, Buffer.from([0]), sign('sha256', body, privateKey));
	const certificate = Buffer.from(sequence(body, ecdsaWithSha256, signature)).toString('base64');
	const lines = certificate.match(/.{1,64}/g)?.join('\n');
	return {
		key: privateKey.export({type: 'pkcs8', format: 'pem'}).toString(),
		cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
	};
}
