// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import type { ChainId, Digest } from '../bytes/ids.ts'
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
import { PROBLEMS } from '../api/problems.ts'
import { authorize } from '../api/request.ts'
import { AmpereError, type ErrorCode } from '../errors.ts'
import type { ClientPorts } from './client.ts'

/** The home's HTTP interface, typed. Answers are checked for form here and for truth by their users. */
export interface HomeApi {
  append(append: Append): Promise<AppendAnswer>
  head(chain: ChainId): Promise<HeadAnswer>
  blocks(chain: ChainId, from: number): Promise<BlocksAnswer>
  keyRow(chain: ChainId, name: string): Promise<Uint8Array | null>
  object(chain: ChainId, root: Digest): Promise<Uint8Array | null>
  packages(chain: ChainId): Promise<PackagesAnswer>
  /** All statements that an erasure was carried out, of the home and of other holders; unchecked. */
  erased(chain: ChainId): Promise<readonly string[]>
  /** Hands a holder's statement in; one that is there already is success. */
  stateErased(chain: ChainId, compact: string): Promise<void>
  registryBlocks(from: number): Promise<BlocksAnswer>
  addRegistryBlock(compact: string): Promise<void>
}

/** @throws AmpereError (every method) with the home's own code, or UPSTREAM_FAILED */
export function createHomeApi(ports: ClientPorts): HomeApi {
  const json = async <S extends v.GenericSchema>(path: string, schema: S): Promise<v.InferOutput<S>> =>
    parseWith(schema, await readJson(await get(ports, path)), 'UPSTREAM_FAILED', 'answer')
  const bytes = async (path: string): Promise<Uint8Array | null> => {
    try {
      return new Uint8Array(await (await get(ports, path)).arrayBuffer())
    } catch (error) {
      // Absent parts are a fact to report (missing, erased), unlike a chain that is not there.
      if (error instanceof AmpereError && error.code === 'GONE') return null
      throw error
    }
  }
  return {
    append: async (append) => {
      const response = await post(ports, '/v1/blocks', APPEND_TYPE, encodeAppend(append))
      return parseWith(appendAnswer, await readJson(response), 'UPSTREAM_FAILED', 'answer')
    },
    head: (chain) => json(at(chain, '/head'), headAnswer),
    blocks: (chain, from) => json(at(chain, `/blocks?from=${from}`), blocksAnswer),
    keyRow: (chain, name) => bytes(at(chain, `/rows/${name}`)),
    object: (chain, root) => bytes(at(chain, `/objects/${root}`)),
    packages: (chain) => json(at(chain, '/packages'), packagesAnswer),
    erased: async (chain) => {
      const items: string[] = []
      for (let from: string | null = ''; from !== null;) {
        const query: string = from === '' ? '' : `?from=${encodeURIComponent(from)}`
        const page: ErasedAnswer = await json(at(chain, `/erased${query}`), erasedAnswer)
        items.push(...page.items)
        from = page.next ?? null
      }
      return items
    },
    stateErased: async (chain, compact) => {
      await post(ports, at(chain, '/erased'), ERASED_TYPE, new TextEncoder().encode(compact))
    },
    registryBlocks: (from) => json(`/v1/registry/blocks?from=${from}`, blocksAnswer),
    addRegistryBlock: async (compact) => {
      await post(ports, '/v1/registry/blocks', 'application/jose', new TextEncoder().encode(compact))
    },
  }
}

function at(chain: ChainId, rest: string): string {
  return `/v1/chains/${chain}${rest}`
}

async function get(ports: ClientPorts, path: string): Promise<Response> {
  const url = new URL(path, ports.pins.origin)
  const header = await authorize(
    { method: 'GET', url, body: new Uint8Array(0) },
    { now: ports.now, random: ports.random, signer: ports.identity.signer },
  )
  return answered(ports, new Request(url, { headers: { authorization: header } }))
}

function post(
  ports: ClientPorts,
  path: string,
  type: string,
  body: Uint8Array<ArrayBuffer>,
): Promise<Response> {
  const url = new URL(path, ports.pins.origin)
  return answered(ports, new Request(url, { method: 'POST', headers: { 'content-type': type }, body }))
}

async function answered(ports: ClientPorts, request: Request): Promise<Response> {
  let response: Response
  try {
    response = await ports.fetch(request)
  } catch (cause) {
    throw new AmpereError('UPSTREAM_FAILED', 'the home cannot be reached', { cause })
  }
  if (response.ok) return response
  throw await problemOf(response)
}

async function problemOf(response: Response): Promise<AmpereError> {
  const parsed = v.safeParse(problemAnswer, await response.json().catch(() => null))
  if (!parsed.success) return new AmpereError('UPSTREAM_FAILED', `the home answered ${response.status}`)
  const code = parsed.output.code in PROBLEMS ? (parsed.output.code as ErrorCode) : 'UPSTREAM_FAILED'
  return new AmpereError(code, parsed.output.detail)
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json()
  } catch (cause) {
    throw new AmpereError('UPSTREAM_FAILED', 'the home answered with something that is not JSON', { cause })
  }
}
