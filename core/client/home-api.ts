// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { fromUtf8 } from '../bytes/encoding.ts'
import type { BlockId, ChainId, Digest } from '../bytes/ids.ts'
import { mostJsonValues } from '../bytes/json-values.ts'
import { parseWith } from '../bytes/schema.ts'
import {
  appendAnswer,
  blocksAnswer,
  erasedAnswer,
  headAnswer,
  packagesAnswer,
  problemAnswer,
  type AppendAnswer,
  type BlocksAnswer,
  type ErasedAnswer,
  type HeadAnswer,
  type PackagesAnswer,
} from '../api/answers.ts'
import { ERASED_TYPE } from '../api/erased.ts'
import { APPEND_TYPE, encodeAppend, type Append } from '../api/append.ts'
import { MAX_ANSWER_BYTES, MAX_ERASED_TOTAL_BYTES } from '../api/limits.ts'
import { PROBLEMS } from '../api/problems.ts'
import { authorize } from '../api/request.ts'
import { AmpereError, isAmpereError, type ErrorCode } from '../errors.ts'
import { call, type CallLimits } from './answer.ts'
import type { Answer } from '../order/ask.ts'
import type { ClientPorts } from './client.ts'
import { KEPT_AS } from './convict/keep-evidence.ts'

/** The home's HTTP interface, typed. Answers are checked for form here and for truth by their users. */
export interface HomeApi {
  append(append: Append): Promise<AppendAnswer>
  head(chain: ChainId): Promise<HeadAnswer>
  blocks(chain: ChainId, from: number): Promise<BlocksAnswer>
  keyRow(chain: ChainId, name: string): Promise<Uint8Array | null>
  /** The first `maxBytes` of an object, or all of a shorter one. */
  object(chain: ChainId, root: Digest, maxBytes: number): Promise<Uint8Array | null>
  packages(chain: ChainId): Promise<PackagesAnswer>
  /** All statements that an erasure was carried out, of the home and of other holders; unchecked. */
  erased(chain: ChainId): Promise<readonly string[]>
  /** Hands a holder's statement in; one that is there already is success. */
  stateErased(chain: ChainId, compact: string): Promise<void>
  /** The receipt of a block, unchecked; null while it is not logged. */
  receipt(chain: ChainId, block: BlockId, height: number): Promise<string | null>
  registryBlocks(from: number): Promise<BlocksAnswer>
  /** The receipt of a block of the registry, unchecked; null while it is not logged. */
  registryReceipt(height: number): Promise<string | null>
  addRegistryBlock(compact: string): Promise<void>
}

/**
 * Every answer is bounded in bytes (`MAX_ANSWER_BYTES`) and time (core/client/answer.ts).
 * @throws AmpereError (every method) with the home's own code, or UPSTREAM_FAILED
 */
export function createHomeApi(ports: ClientPorts): HomeApi {
  const json = async <S extends v.GenericSchema>(
    path: string,
    schema: S,
    maxBytes: number,
  ): Promise<v.InferOutput<S>> => {
    const answer = await get(ports, path, { maxBytes, beyond: 'fail' })
    return parseWith(schema, readJson(answer), 'UPSTREAM_FAILED', 'answer')
  }
  // Absent parts are a fact to report (missing, erased), unlike a chain that is not there.
  const bytes = (path: string, limits: CallLimits) => unless('GONE', get(ports, path, limits))
  const proof = async (path: string): Promise<string | null> => {
    const limits = { maxBytes: MAX_ANSWER_BYTES.proof, beyond: 'fail' } as const
    const answer = await unless('NOT_FOUND', get(ports, path, limits))
    return answer && textOf(answer)
  }
  const { statements, blocks, packages, row, receipt } = MAX_ANSWER_BYTES
  return {
    append: async (append) => {
      const answer = await post(ports, '/v1/blocks', APPEND_TYPE, encodeAppend(append), {
        maxBytes: statements,
        beyond: 'fail',
      })
      return parseWith(appendAnswer, readJson(answer), 'UPSTREAM_FAILED', 'answer')
    },
    head: (chain) => json(at(chain, '/head'), headAnswer, statements),
    blocks: (chain, from) => json(at(chain, `/blocks?from=${from}`), blocksAnswer, blocks),
    keyRow: (chain, name) => bytes(at(chain, `/rows/${name}`), { maxBytes: row, beyond: 'fail' }),
    object: (chain, root, maxBytes) => bytes(at(chain, `/objects/${root}`), { maxBytes, beyond: 'cut' }),
    packages: (chain) => json(at(chain, '/packages'), packagesAnswer, packages),
    erased: (chain) =>
      allPages((query) => json(at(chain, `/erased${query}`), erasedAnswer, MAX_ANSWER_BYTES.erased)),
    stateErased: async (chain, compact) => {
      await post(ports, at(chain, '/erased'), ERASED_TYPE, new TextEncoder().encode(compact), {
        maxBytes: receipt,
        beyond: 'cut',
      })
    },
    receipt: (chain, block, height) => proof(`/v1/receipts/${block}?chain=${chain}&height=${height}`),
    registryReceipt: (height) => proof(`/v1/registry/${height}/receipt`),
    registryBlocks: (from) => json(`/v1/registry/blocks?from=${from}`, blocksAnswer, blocks),
    addRegistryBlock: async (compact) => {
      await post(ports, '/v1/registry/blocks', 'application/jose', new TextEncoder().encode(compact), {
        maxBytes: receipt,
        beyond: 'cut',
      })
    },
  }
}

/** What is asked for, or null when the answer is this refusal. */
async function unless<T>(code: ErrorCode, asking: Promise<T>): Promise<T | null> {
  try {
    return await asking
  } catch (error) {
    if (isAmpereError(error, code)) return null
    throw error
  }
}

/** @throws AmpereError UPSTREAM_FAILED for what is not UTF-8 */
function textOf(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes)
  } catch (cause) {
    throw new AmpereError('UPSTREAM_FAILED', 'the home answered with something that is no text', { cause })
  }
}

/** Every page of statements in turn. @throws AmpereError UPSTREAM_FAILED for pages that lead nowhere or have no end */
async function allPages(page: (query: string) => Promise<ErasedAnswer>): Promise<readonly string[]> {
  const items: string[] = []
  let characters = 0
  for (let from: string | null = ''; from !== null;) {
    const answer: ErasedAnswer = await page(from === '' ? '' : `?from=${encodeURIComponent(from)}`)
    for (const item of answer.items) characters += item.length
    if (characters > MAX_ERASED_TOTAL_BYTES || (answer.items.length === 0 && answer.next !== null))
      throw new AmpereError('UPSTREAM_FAILED', 'the home pages through its erasure statements without end')
    items.push(...answer.items)
    from = answer.next
  }
  return items
}

function at(chain: ChainId, rest: string): string {
  return `/v1/chains/${chain}${rest}`
}

async function get(ports: ClientPorts, path: string, limits: CallLimits): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(path, ports.pins.origin)
  const header = await authorize(
    { method: 'GET', url, body: new Uint8Array(0) },
    { now: ports.now, random: ports.random, signer: ports.identity.signer },
  )
  const request = { url, init: { headers: { authorization: header } }, bytes: 0 }
  return answered(await call(ports, request, limits))
}

async function post(
  ports: ClientPorts,
  path: string,
  type: string,
  body: Uint8Array<ArrayBuffer>,
  limits: CallLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(path, ports.pins.origin)
  const init = { method: 'POST', headers: { 'content-type': type }, body }
  return answered(await call(ports, { url, init, bytes: body.length }, limits))
}

/** The bytes of a good answer. @throws AmpereError as the problem document of any other says */
export function answered(answer: Answer): Uint8Array<ArrayBuffer> {
  if (answer.ok) return answer.bytes
  throw problemOf(answer)
}

function problemOf({ status, bytes }: Answer): AmpereError {
  const parsed = v.safeParse(problemAnswer, parsedOrNull(bytes))
  if (!parsed.success) return new AmpereError('UPSTREAM_FAILED', `the home answered ${status}`)
  const { code, detail } = parsed.output
  // Own keys only: `toString` is in every object, and no code.
  const known = Object.hasOwn(PROBLEMS, code) ? (code as ErrorCode) : 'UPSTREAM_FAILED'
  // Where evidence lies, this installation alone says: people are told to act on it.
  return new AmpereError(known, detail.split(KEPT_AS)[0] ?? '')
}

function parsedOrNull(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return null
  }
}

/** Values of an answer in JSON, at most: pages have hundreds, an audit may have thousands. */
export const MAX_ANSWER_VALUES = 1_000_000

/** @throws AmpereError UPSTREAM_FAILED */
export function readJson(bytes: Uint8Array): unknown {
  if (mostJsonValues(bytes) > MAX_ANSWER_VALUES)
    throw new AmpereError('UPSTREAM_FAILED', `the home answered with more than ${MAX_ANSWER_VALUES} values`)
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch (cause) {
    throw new AmpereError('UPSTREAM_FAILED', 'the home answered with something that is not JSON', { cause })
  }
}
