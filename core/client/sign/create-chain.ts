// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '../../bytes/encoding.ts'
import type { ChainId, CompartmentId, InstitutionId, OpId } from '../../bytes/ids.ts'
import { toTimestamp } from '../../bytes/timestamp.ts'
import { actionOf, signApproval } from '../../block/approval.ts'
import type { Controllers, GenesisBlock, Grant, Home } from '../../block/block.ts'
import { signBlock, type OpenedBlock, type ParsedBlock } from '../../block/open-block.ts'
import { isViolation } from '../../block/violation.ts'
import type { Append } from '../../api/append.ts'
import { stateAfter } from '../../chain/apply-block.ts'
import { stateHash } from '../../chain/state.ts'
import { AmpereError } from '../../errors.ts'
import type { Now, Random, Signer } from '../../ports/keys.ts'
import type { RegistryHistory } from '../../registry/history.ts'
import { drawEpoch, type EpochSecrets } from './make-epoch.ts'

/** The one compartment of an access chain. */
export const ACCESS_COMPARTMENTS = ['access'] as const

/** How long the approval of a genesis stays usable, in milliseconds: one hour. */
const APPROVAL_MS = 3_600_000

export interface CreateContext {
  readonly ports: { readonly now: Now; readonly random: Random }
  readonly registry: RegistryHistory
  readonly signer: Signer
  readonly institution: InstitutionId
  readonly home: Home
}

/** A new chain's genesis, and the secrets that its first control block will hand out. */
export interface NewChain {
  readonly genesis: ParsedBlock
  readonly append: Append
  readonly secrets: EpochSecrets
}

/** Signs the genesis of a chain that the creating institution controls until the patient claims it. */
export async function signGenesis(
  context: CreateContext,
  what: {
    readonly purpose: 'record' | 'access'
    readonly of: ChainId | null
    readonly compartments: readonly string[]
  },
): Promise<NewChain> {
  const { random } = context.ports
  const named = what.compartments.map((name) => ({ id: toBase64url(random(16)) as CompartmentId, name }))
  const secrets = await drawEpoch(named, random)
  const body = {
    nonce: toBase64url(random(32)),
    purpose: what.purpose,
    of: what.of,
    registry: context.registry.pinned,
    home: context.home,
    controllers: custodial(context.institution),
    compartments: [...secrets.keys],
    labelKeyHash: secrets.labelKeyHash,
  }
  const genesis = await signWithState(context, body)
  const labelKey = toBase64url(secrets.labelKey)
  return {
    genesis,
    append: { block: genesis.compact, row: null, packages: [], labelKey, object: null },
    secrets,
  }
}

function custodial(institution: InstitutionId): Controllers {
  return { threshold: 1, members: [{ kind: 'institution', institution }] }
}

async function signWithState(
  context: CreateContext,
  body: Omit<GenesisBlock['body'], 'approvals'>,
): Promise<ParsedBlock> {
  const { random, now } = context.ports
  const newest = context.registry.newest()
  const expires = toTimestamp(now() + APPROVAL_MS)
  const approval = await signApproval(
    { chain: null, seq: 0, action: actionOf('genesis', body), expires },
    context.signer,
  )
  const draft: GenesisBlock = {
    v: 1,
    type: 'genesis',
    height: 0,
    time: toTimestamp(now()),
    registry: newest.head,
    // Not yet known; the rules that give it do not look at it.
    state: context.registry.pinned,
    op: toBase64url(random(16)) as OpId,
    entries: null,
    body: { ...body, approvals: [approval] },
  }
  const state = stateAfter(null, (await signBlock(draft, context.signer)) as OpenedBlock, newest)
  if (isViolation(state)) throw new AmpereError('VIOLATION', `rule ${state.rule}: ${state.detail}`)
  return signBlock({ ...draft, state: stateHash(state) }, context.signer)
}

/** The first grant: the creating institution may append to and read everything. */
export function ownGrant(institution: InstitutionId, compartments: readonly CompartmentId[]): Grant {
  return {
    institution,
    rights: ['append', 'read'],
    compartments: [...compartments].toSorted(),
    until: null,
    limits: null,
  }
}
