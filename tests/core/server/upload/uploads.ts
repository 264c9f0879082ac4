// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, createHash } from 'node:crypto'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId, type Digest } from '#core/bytes/ids.ts'
import { decodeAppend, encodeAppend, type Append } from '#core/api/append.ts'
import type { UploadAnswer } from '#core/api/large/upload.ts'
import { shareRecord } from '#core/client/acts/share-record.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { Connection } from '#core/client/connect.ts'
import type { Fetch, Signer } from '#core/ports/keys.ts'
import * as uploads from '#functions/writer/upload-operations.ts'
import { appendBlock } from '#functions/writer/operations.ts'
import { ORIGIN, testDeployment, type TestDeployment, type TestOptions } from '#tests/deployment.ts'
import { ask } from '#tests/http/ask.ts'

export const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
export const MIB = 1024 * 1024
export const entry = (content: Uint8Array) => ({ header: utf8('{}'), content, compartment: 'general' })

/** Bytes that no compression makes smaller, the same for each seed. */
export function noise(bytes: number, seed = 1): Uint8Array {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16))
  return new Uint8Array(cipher.update(Buffer.alloc(bytes)))
}

export function hashOf(bytes: Uint8Array): Digest {
  return createHash('sha256').update(bytes).digest('base64url') as Digest
}

/** A record of hospital A with one block that was signed and sent nowhere, and what was sent in making it. */
export interface Scene {
  readonly world: TestDeployment
  readonly a: Connection
  readonly record: ChainId
}

export async function scene(
  options: TestOptions = {},
  fetch?: (world: TestDeployment) => Fetch,
): Promise<Scene> {
  const world = await testDeployment(['hospital-a', 'hospital-b'], options)
  const a = world.connect('hospital-a', fetch ? { fetch: fetch(world) } : {})
  const { record } = await createRecord(a, HOME, ['general'])
  return { world, a, record }
}

/** Hospital B may append to the record, too. */
export async function shareWithB({ world, a, record }: Scene): Promise<void> {
  await shareRecord(a, record, {
    institution: world.institution('hospital-b').id,
    rights: ['append', 'read'],
  })
}

/** An append of small entries as a client makes it, stopped before it reaches the home. */
export async function unsent(
  { world, record }: Scene,
  content: Uint8Array = utf8('small'),
  institution = 'hospital-a',
): Promise<Append & { readonly object: Uint8Array }> {
  const caught: Append[] = []
  const fetch: Fetch = async (request) => {
    const { pathname } = new URL(request.url)
    // As to an older home, to which large objects are sent whole.
    if (pathname === '/.well-known/ampere') return new Response('{}')
    if (pathname !== '/v1/blocks') return world.fetch(request)
    caught.push(decodeAppend(new Uint8Array(await request.arrayBuffer())))
    return new Response('{}', { status: 400 })
  }
  await world
    .connect(institution, { fetch })
    .append(record, [entry(content)])
    .catch(() => undefined)
  const [append] = caught
  if (!append?.object) throw new RangeError('no append was made')
  return { ...append, object: append.object }
}

/** Asks for an upload. */
export async function offer(
  world: TestDeployment,
  asked: { readonly chain: ChainId; readonly bytes: number; readonly sha256: string },
  signer?: Signer | null,
): Promise<Response> {
  const body = utf8(JSON.stringify(asked))
  return ask(world, uploads.offerUpload, { body, ...(signer === undefined ? {} : { signer }) })
}

/** An upload that was granted. */
export async function offered(world: TestDeployment, chain: ChainId, bytes: Uint8Array, signer?: Signer) {
  const answer = await offer(world, { chain, bytes: bytes.length, sha256: hashOf(bytes) }, signer)
  if (answer.status !== 201) throw new Error(`${answer.status}: ${await answer.text()}`)
  return (await answer.json()) as UploadAnswer
}

/** Sends bytes to where an upload was offered. */
export function put(world: TestDeployment, { method, url, headers }: UploadAnswer, bytes: Uint8Array) {
  return world.fetch(new Request(url, { method, headers, body: bytes as Uint8Array<ArrayBuffer> }))
}

/** Appends a block whose object was uploaded. */
export function appendUploaded(world: TestDeployment, append: Append, upload: string): Promise<Response> {
  return ask(world, appendBlock, { body: encodeAppend({ ...append, object: null, upload }) })
}

/** Status and code of an answer. */
export async function outcome(answer: Response): Promise<string> {
  if (answer.ok) return String(answer.status)
  return `${answer.status} ${((await answer.json()) as { code: string }).code}`
}
