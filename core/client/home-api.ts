// SPDX-License-Identifier: Apache-2.0
import type * as v from 'valibot'
import { fromUtf8 } from '../bytes/encoding.ts'
import type { BlockId, ChainId, Digest } from '../bytes/ids.ts'
import { parseWith } from '../bytes/schema.ts'
import {
  blocksAnswer,
  erasedAnswer,
  headAnswer,
  packagesAnswer,
  proposalsAnswer,
  type AppendAnswer,
  type BlocksAnswer,
  type HeadAnswer,
  type PackagesAnswer,
  type ProposalsAnswer,
} from '../api/answers.ts'
import { ERASED_TYPE } from '../api/erased.ts'
import type { Append } from '../api/append.ts'
import { MAX_ANSWER_BYTES, MAX_ERASED_TOTAL_BYTES } from '../api/limits.ts'
import { AmpereError, isAmpereError, type ErrorCode } from '../errors.ts'
import type { CallLimits } from './answer.ts'
import { get, post, readJson } from './ask-home.ts'
import type { ClientPorts } from './client.ts'
import { fetchObject } from './large/fetch-object.ts'
import { appendSender } from './large/send-append.ts'

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
  /** Open proposals for the registry, with the approvals that were given; unchecked. */
  proposals(): Promise<ProposalsAnswer['items']>
  /** Hands in a proposal, or an approval or withdrawal of one; one that is there already is success. */
  propose(compact: string): Promise<void>
  answerProposal(action: Digest, kind: 'approvals' | 'withdrawal', compact: string): Promise<void>
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
    append: appendSender(ports),
    head: (chain) => json(at(chain, '/head'), headAnswer, statements),
    blocks: (chain, from) => json(at(chain, `/blocks?from=${from}`), blocksAnswer, blocks),
    keyRow: (chain, name) => bytes(at(chain, `/rows/${name}`), { maxBytes: row, beyond: 'fail' }),
    object: (chain, root, maxBytes) =>
      unless('GONE', fetchObject(ports, at(chain, `/objects/${root}`), maxBytes)),
    packages: async (chain) => {
      const page = (query: string) => json(at(chain, `/packages${query}`), packagesAnswer, packages)
      return { items: await allPages(page, PACKAGES), next: null }
    },
    erased: (chain) =>
      allPages(
        (query) => json(at(chain, `/erased${query}`), erasedAnswer, MAX_ANSWER_BYTES.erased),
        STATEMENTS,
      ),
    stateErased: async (chain, compact) => {
      const body = new TextEncoder().encode(compact)
      const limits = { maxBytes: receipt, beyond: 'cut' } as const
      await post(ports, at(chain, '/erased'), { type: ERASED_TYPE, body }, limits)
    },
    receipt: (chain, block, height) => proof(`/v1/receipts/${block}?chain=${chain}&height=${height}`),
    ...registryApi(ports, json),
    registryReceipt: (height) => proof(`/v1/registry/${height}/receipt`),
  }
}

type RegistryApi = Pick<
  HomeApi,
  'registryBlocks' | 'addRegistryBlock' | 'proposals' | 'propose' | 'answerProposal'
>
type AskJson = <S extends v.GenericSchema>(
  path: string,
  schema: S,
  maxBytes: number,
) => Promise<v.InferOutput<S>>

/** What is asked of the registry's home; what is handed in there is its own credential. */
function registryApi(ports: ClientPorts, json: AskJson): RegistryApi {
  const { blocks, receipt, proposals } = MAX_ANSWER_BYTES
  const handIn = async (path: string, compact: string): Promise<void> => {
    const body = new TextEncoder().encode(compact)
    await post(ports, path, { type: 'application/jose', body }, { maxBytes: receipt, beyond: 'cut' })
  }
  return {
    registryBlocks: (from) => json(`/v1/registry/blocks?from=${from}`, blocksAnswer, blocks),
    addRegistryBlock: (compact) => handIn('/v1/registry/blocks', compact),
    proposals: () =>
      allPages((query) => json(`/v1/registry/proposals${query}`, proposalsAnswer, proposals), PROPOSALS),
    propose: (compact) => handIn('/v1/registry/proposals', compact),
    answerProposal: (action, kind, compact) => handIn(`/v1/registry/proposals/${action}/${kind}`, compact),
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

/** What is paged through, and how many characters of it are taken at most. */
interface Paged<T> {
  readonly what: string
  readonly size: (item: T) => number
  readonly max: number
}

const PACKAGES: Paged<object> = {
  what: 'packages',
  size: (item) => JSON.stringify(item).length,
  max: MAX_ANSWER_BYTES.packages,
}
const PROPOSALS: Paged<object> = {
  what: 'proposals',
  size: (item) => JSON.stringify(item).length,
  max: MAX_ANSWER_BYTES.packages,
}
const STATEMENTS: Paged<string> = {
  what: 'erasure statements',
  size: (item) => item.length,
  max: MAX_ERASED_TOTAL_BYTES,
}

interface Page<T> {
  readonly items: readonly T[]
  readonly next: string | null
}

/** The items of every page in turn. @throws AmpereError UPSTREAM_FAILED for pages that lead nowhere or have no end */
async function allPages<T>(
  page: (query: string) => Promise<Page<T>>,
  { what, size, max }: Paged<T>,
): Promise<T[]> {
  const items: T[] = []
  let characters = 0
  for (let from: string | null = ''; from !== null;) {
    const answer: Page<T> = await page(from === '' ? '' : `?from=${encodeURIComponent(from)}`)
    for (const item of answer.items) characters += size(item)
    if (characters > max || (answer.items.length === 0 && answer.next !== null))
      throw new AmpereError('UPSTREAM_FAILED', `the home pages through its ${what} without end`)
    items.push(...answer.items)
    from = answer.next
  }
  return items
}

function at(chain: ChainId, rest: string): string {
  return `/v1/chains/${chain}${rest}`
}
