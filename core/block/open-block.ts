// SPDX-License-Identifier: Apache-2.0
import type { Json, JsonObject } from '../bytes/canonical-json.ts'
import type { BlockId, ChainId, Kid } from '../bytes/ids.ts'
import { parseWith } from '../bytes/schema.ts'
import type { Verifiers } from '../crypto/signature.ts'
import { AmpereError } from '../errors.ts'
import type { PublicJwk, Signer } from '../ports/keys.ts'
import { parseApproval, type Approval } from './approval.ts'
import { blockSchema, RESERVED_TYPES, type Block, type RecordBlock } from './block.ts'
import { MAX_JWS_BYTES, parseJws, signJws, verifyJws, type OpenedJws } from './jws.ts'

/** A block that is well-formed; `openBlock` adds that its signatures verify. */
export interface ParsedBlock<B extends Block = Block> {
  readonly id: BlockId
  /** The genesis's own id for a genesis. */
  readonly chain: ChainId
  readonly kid: Kid
  readonly compact: string
  readonly jws: OpenedJws
  readonly block: B
  readonly approvals: readonly Approval[]
}

declare const opened: unique symbol
/** A block whose own signature and whose approvals' signatures were checked. */
export type OpenedBlock<B extends Block = Block> = ParsedBlock<B> & { readonly [opened]: true }

/** The public key of a `kid`, from the registry or the chain's devices; null when neither knows it. */
export type KeyOf = (kid: Kid) => PublicJwk | null

/**
 * Everything that can be said of a block without a key.
 * @throws AmpereError JWS_MALFORMED, BLOCK_MALFORMED, UNSUPPORTED (a reserved type)
 */
export function parseBlock(compact: string): ParsedBlock {
  const jws = parseJws(compact, 'ampere-block+jws')
  refuseReserved(jws)
  refuseListAsBody(jws)
  const block = parseWith(blockSchema, jws.payload, 'BLOCK_MALFORMED', 'block')
  if ((block.type === 'genesis') !== (block.height === 0)) {
    throw new AmpereError('BLOCK_MALFORMED', 'block: genesis and height 0 belong together')
  }
  const approvals = 'approvals' in block.body ? block.body.approvals.map(parseApproval) : []
  const id = jws.id as string as BlockId
  const chain = block.type === 'genesis' ? (jws.id as string as ChainId) : block.chain
  return { id, chain, kid: jws.kid, compact, jws, block, approvals }
}

/**
 * `parseBlock` for a record block whose id is in `admitted`, because all this was said of it before: it is only read. Its
 * id is the hash of all but the signature, of which the form is checked anyway. Every other is parsed as by `parseBlock`.
 * @throws AmpereError as `parseBlock`
 */
export function parseAdmitted(compact: string, admitted: ReadonlySet<string>): ParsedBlock {
  const jws = parseJws(compact, 'ampere-block+jws', MAX_JWS_BYTES, admitted)
  const { id, kid, payload } = jws
  if (!admitted.has(id) || !isLikeRecord(payload)) return parseBlock(compact)
  return {
    id: id as string as BlockId,
    chain: payload.chain,
    kid,
    compact,
    jws,
    block: payload,
    approvals: [],
  }
}

/**
 * Checks the signatures of a parsed block: the author's and every approval's.
 * @throws AmpereError SIGNATURE_INVALID, also when a key is unknown
 */
export async function openBlock(
  parsed: ParsedBlock,
  keyOf: KeyOf,
  verifiers: Verifiers,
): Promise<OpenedBlock> {
  const statements = [parsed.jws, ...parsed.approvals.map((approval) => approval.jws)]
  await Promise.all(statements.map((jws) => verifyKnown(jws, keyOf, verifiers)))
  return parsed as OpenedBlock
}

/** Signs a block; the payload is checked against the schema first, so that no signature is wasted. */
export async function signBlock(block: Block, signer: Signer): Promise<ParsedBlock> {
  parseWith(blockSchema, block, 'BLOCK_MALFORMED', 'block')
  return parseBlock(await signJws('ampere-block+jws', block, signer))
}

async function verifyKnown(jws: OpenedJws, keyOf: KeyOf, verifiers: Verifiers): Promise<void> {
  const key = keyOf(jws.kid)
  if (!key) throw new AmpereError('SIGNATURE_INVALID', 'the signing key is not known')
  await verifyJws(jws, key, verifiers)
}

function refuseReserved(jws: OpenedJws): void {
  const type = (jws.payload as { type?: unknown } | null)?.type
  if (RESERVED_TYPES.some((reserved) => reserved === type)) {
    throw new AmpereError('UNSUPPORTED', `block type ${String(type)} is reserved and has no rules yet`)
  }
}

/** That it is one, whoever says that it was admitted may say wrongly: it must only not be taken for what it is not. */
function isLikeRecord(payload: Json): payload is Json & RecordBlock {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return false
  const { type, chain, height, prev, state, time } = payload as JsonObject
  const texts = [chain, prev, state, time].every((member) => typeof member === 'string')
  return type === 'record' && texts && typeof height === 'number' && height > 0
}

/** The schema takes an empty list for the body of a record block, which is an object without members. */
function refuseListAsBody(jws: OpenedJws): void {
  if (Array.isArray((jws.payload as { body?: unknown } | null)?.body)) {
    throw new AmpereError('BLOCK_MALFORMED', 'block: the body is a list')
  }
}
