// SPDX-License-Identifier: Apache-2.0
import { p256 } from '@noble/curves/nist.js'
import {
  constants,
  generateKeyPairSync,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  type KeyObject,
} from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The vault that the fake says it is; requests for it are led to where the fake listens. */
export const VAULT_URL = 'https://ampere-test.vault.azure.net'
/** The token that the fake takes. */
export const TOKEN = 'token-of-a-test'

interface Version {
  readonly id: string
  readonly ops: readonly string[]
  readonly ec: Uint8Array | null
  readonly rsa: { readonly publicKey: KeyObject; readonly privateKey: KeyObject } | null
}

/** A fake of Key Vault's REST API: there is no emulator. It behaves as the real one was seen to. */
export interface FakeVault {
  /** Where it listens. */
  readonly origin: string
  /** Makes a key, or a newer version of it. */
  create(name: string, kind: 'EC' | 'RSA', ops: readonly string[]): void
  /** What is denied from now on, for example `sign`. */
  deny(...operations: readonly string[]): void
  close(): Promise<void>
}

/**
 * Known of the real service, and so here: a request without a token is answered with 401 and a challenge; keys have `key_ops`
 * and versions, of which old ones still sign and unwrap; ES256 signs a digest and gives r || s, with low s or not;
 * RSA-OAEP-256 is that of node:crypto; bytes that do not unwrap are 400, an unknown key or version 404, what is denied 403.
 */
export async function startFakeVault(): Promise<FakeVault> {
  const keys = new Map<string, Version[]>()
  const denied = new Set<string>()
  const server = createServer((request, response) => {
    void answer(keys, denied, request).then(({ status, headers, body }) =>
      send(response, status, body, headers),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    create: (name, kind, ops) => {
      const isEc = kind === 'EC'
      const made: Version = {
        id: randomBytes(16).toString('hex'),
        ops,
        ec: isEc ? p256.utils.randomSecretKey() : null,
        rsa: isEc ? null : generateKeyPairSync('rsa', { modulusLength: 2048 }),
      }
      keys.set(name, [...(keys.get(name) ?? []), made])
    },
    deny: (...operations) => {
      denied.clear()
      for (const operation of operations) denied.add(operation)
    },
    close: () => closeServer(server),
  }
}

/** Ends a server with the connections that it has. */
export async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

async function answer(
  keys: ReadonlyMap<string, readonly Version[]>,
  denied: ReadonlySet<string>,
  request: IncomingMessage,
): Promise<Answer> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const text = Buffer.concat(parts).toString()
  if (request.headers.authorization !== `Bearer ${TOKEN}`) {
    const challenge = `Bearer authorization="https://login.microsoftonline.com/${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}", resource="https://vault.azure.net"`
    return { ...refused(401, 'Unauthorized'), headers: { 'www-authenticate': challenge } }
  }
  const url = new URL(request.url ?? '/', VAULT_URL)
  if (url.searchParams.get('api-version') !== '7.6') return refused(400, 'BadParameter')
  const [, kind, name = '', id = '', act = 'get'] = url.pathname.split('/')
  if (kind !== 'keys') return refused(404, 'NotFound')
  if (denied.has(act)) return refused(403, 'Forbidden')
  const versions = keys.get(name) ?? []
  const version = id === '' ? versions.at(-1) : versions.find((one) => one.id === id)
  if (!version) return refused(404, 'KeyNotFound')
  const kid = `${VAULT_URL}/keys/${name}/${version.id}`
  if (act === 'get' && request.method === 'GET')
    return {
      status: 200,
      body: { key: { kid, ...publicJwk(version), key_ops: version.ops }, attributes: { enabled: true } },
    }
  const { alg, value } = JSON.parse(text) as { alg?: string; value?: string }
  const result = used(version, act, alg ?? '', Buffer.from(value ?? '', 'base64url'))
  return typeof result === 'string'
    ? refused(result === 'Forbidden' ? 403 : 400, result)
    : { status: 200, body: { kid, value: Buffer.from(result).toString('base64url') } }
}

/** What a version of a key makes of bytes, or why it does not. */
function used({ ops, ec, rsa }: Version, act: string, alg: string, bytes: Buffer): Uint8Array | string {
  const op = { sign: 'sign', wrapkey: 'wrapKey', unwrapkey: 'unwrapKey' }[act]
  if (op === undefined || !ops.includes(op)) return 'Forbidden'
  if (op === 'sign')
    return ec && alg === 'ES256' && bytes.length === 32
      ? p256.sign(bytes, ec, { prehash: false, lowS: false })
      : 'BadParameter'
  if (!rsa || alg !== 'RSA-OAEP-256') return 'BadParameter'
  const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }
  try {
    return op === 'wrapKey'
      ? publicEncrypt({ key: rsa.publicKey, ...padding }, bytes)
      : privateDecrypt({ key: rsa.privateKey, ...padding }, bytes)
  } catch {
    return 'BadParameter'
  }
}

function publicJwk({ ec, rsa }: Version): object {
  if (!ec) {
    const { n, e } = rsa?.publicKey.export({ format: 'jwk' }) ?? {}
    return { kty: 'RSA', n, e }
  }
  const point = p256.getPublicKey(ec, false)
  const coordinate = (from: number) => Buffer.from(point.subarray(from, from + 32)).toString('base64url')
  return { kty: 'EC', crv: 'P-256', x: coordinate(1), y: coordinate(33) }
}

function refused(status: number, code: string): Answer {
  return { status, body: { error: { code, message: `the fake says ${code}` } } }
}

function send(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}
