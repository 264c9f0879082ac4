// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import type { Digest } from '../bytes/ids.ts'
import {
  blockId,
  bytesOf,
  chainId,
  compartmentId,
  count,
  deploymentId,
  digest,
  entryId,
  institutionId,
  kid,
  opId,
  timestamp,
} from '../bytes/schema.ts'

/** Limits of the format (docs/PROTOCOL.md, Limits); each is checked before storage is spent. */
export const MAX_ENTRIES = 4096
export const MAX_OBJECT_BYTES = 256 * 1024 * 1024
export const MAX_COMPARTMENTS = 16
export const MAX_CONTROLLERS = 16
export const MAX_GRANTS = 256
export const MAX_PENDING = 16
/** Bytes of an MLKEM768-X25519 public key (draft-ietf-hpke-pq). */
export const EPOCH_KEY_BYTES = 1216
/** Reserved types: known by name, refused until their rules exist. */
export const RESERVED_TYPES = ['emergency'] as const

const sorted = (keys: readonly string[]) => keys.every((key, i) => i === 0 || (keys[i - 1] ?? '') < key)
const jws = v.pipe(v.string(), v.maxLength(16 * 1024))
const approvals = v.pipe(v.array(jws), v.maxLength(2 * MAX_CONTROLLERS + 2))
const compartmentIds = v.pipe(
  v.array(compartmentId),
  v.maxLength(MAX_COMPARTMENTS),
  v.check((list) => sorted(list), 'not sorted and distinct'),
)

const publicJwk = v.union([
  v.strictObject({ kty: v.literal('EC'), crv: v.literal('P-256'), x: bytesOf(32), y: bytesOf(32) }),
  v.strictObject({ kty: v.literal('OKP'), crv: v.literal('Ed25519'), x: bytesOf(32) }),
  v.strictObject({ kty: v.literal('AKP'), alg: v.literal('ML-DSA-44'), pub: bytesOf(1312) }),
])

/** A controller: an institution of the registry, or a patient's device with its own keys. */
const controller = v.union([
  v.strictObject({ kind: v.literal('institution'), institution: institutionId }),
  v.strictObject({ kind: v.literal('device'), kid, jwk: publicJwk, sealing: bytesOf(EPOCH_KEY_BYTES) }),
])
const controllers = v.strictObject({
  threshold: v.pipe(count, v.minValue(1), v.maxValue(MAX_CONTROLLERS)),
  members: v.pipe(v.array(controller), v.minLength(1), v.maxLength(MAX_CONTROLLERS)),
})

const grant = v.strictObject({
  institution: institutionId,
  rights: v.pipe(
    v.array(v.picklist(['append', 'hold', 'read'])),
    v.minLength(1),
    v.check((list) => sorted(list), 'not sorted and distinct'),
  ),
  compartments: v.pipe(compartmentIds, v.minLength(1)),
  until: v.nullable(timestamp),
  limits: v.nullable(v.strictObject({ blocksPerDay: count, bytesPerDay: count })),
})

const epochKeys = v.pipe(
  v.array(v.strictObject({ id: compartmentId, key: bytesOf(EPOCH_KEY_BYTES) })),
  v.minLength(1),
  v.maxLength(MAX_COMPARTMENTS),
  v.check((keys) => sorted(keys.map((key) => key.id)), 'not sorted and distinct'),
)

const entries = v.strictObject({
  count: v.pipe(count, v.minValue(1), v.maxValue(MAX_ENTRIES)),
  bytes: v.pipe(count, v.maxValue(MAX_OBJECT_BYTES)),
  root: digest,
  keys: digest,
  epoch: v.pipe(count, v.minValue(1)),
  compartments: v.pipe(compartmentIds, v.minLength(1)),
  batch: v.nullable(v.strictObject({ id: opId, index: count, last: v.boolean() })),
})

const registryHead = v.strictObject({ height: count, id: digest })
const home = v.strictObject({
  deployment: deploymentId,
  origin: v.pipe(v.string(), v.minLength(1), v.maxLength(255)),
})

const common = {
  v: v.literal(1),
  height: count,
  time: timestamp,
  registry: registryHead,
  state: digest,
  op: opId,
}
const later = { ...common, chain: chainId, prev: blockId }

const genesis = v.strictObject({
  ...common,
  type: v.literal('genesis'),
  entries: v.null(),
  body: v.strictObject({
    nonce: bytesOf(32),
    purpose: v.picklist(['record', 'access']),
    of: v.nullable(chainId),
    registry: digest,
    home,
    controllers,
    compartments: epochKeys,
    labelKeyHash: digest,
    approvals,
  }),
})

const record = v.strictObject({ ...later, type: v.literal('record'), entries, body: v.strictObject({}) })

const epochChange = v.strictObject({ compartments: epochKeys, labelKeyHash: digest, cut: v.boolean() })
const control = v.strictObject({
  ...later,
  type: v.literal('control'),
  entries: v.null(),
  body: v.strictObject({
    act: v.picklist(['change', 'rotate']),
    grants: v.strictObject({
      put: v.pipe(
        v.array(grant),
        v.maxLength(MAX_GRANTS),
        v.check((list) => sorted(list.map((item) => item.institution)), 'not sorted and distinct'),
      ),
      remove: v.pipe(
        v.array(institutionId),
        v.maxLength(MAX_GRANTS),
        v.check((list) => sorted(list), 'not sorted and distinct'),
      ),
    }),
    controllers: v.nullable(controllers),
    epoch: v.nullable(epochChange),
    packages: v.nullable(digest),
    hold: v.nullable(v.boolean()),
    access: v.nullable(chainId),
    /** Who may replace the controllers after a delay: absent where it stays as it is, null where nobody may any longer. */
    recovery: v.optional(v.nullable(controllers)),
    approvals,
  }),
})

const target = v.strictObject({
  height: count,
  ids: v.pipe(
    v.array(entryId),
    v.minLength(1),
    v.maxLength(MAX_ENTRIES),
    v.check((list) => sorted(list), 'not sorted and distinct'),
  ),
})
const erase = v.strictObject({
  ...later,
  type: v.literal('erase'),
  entries: v.null(),
  body: v.strictObject({
    act: v.picklist(['request', 'complete', 'cancel']),
    /** Height of the request that is completed or cancelled; null in a request. */
    request: v.nullable(count),
    scope: v.picklist(['entries', 'record']),
    targets: v.pipe(
      v.array(target),
      v.maxLength(512),
      v.check(
        (list) => list.every((item, i) => i === 0 || (list[i - 1]?.height ?? 0) < item.height),
        'not ascending',
      ),
    ),
    ground: v.picklist(['patient-request', 'misfiled', 'legal-duty', 'consent-withdrawn']),
    notBefore: timestamp,
    approvals,
  }),
})

const rehome = v.strictObject({
  ...later,
  type: v.literal('rehome'),
  entries: v.null(),
  body: v.strictObject({
    /** Where the chain goes on, from this block on. */
    home,
    /** Which home it leaves: that of the state before. */
    from: home,
    approvals,
  }),
})

const recover = v.strictObject({
  ...later,
  type: v.literal('recover'),
  entries: v.null(),
  body: v.strictObject({
    act: v.picklist(['request', 'complete', 'cancel']),
    /** Height of the request that is completed or cancelled; null in a request. */
    request: v.nullable(count),
    /** Who controls the chain once it is completed. */
    controllers,
    /** Who may recover it then; null where nobody may. What there is does not stay: whoever stole a device may have changed it. */
    recovery: v.nullable(controllers),
    /** The new epoch that a completion brings, so that nobody who was replaced opens what comes later. */
    epoch: v.nullable(epochChange),
    packages: v.nullable(digest),
    notBefore: timestamp,
    approvals,
  }),
})

/** The six block types, as closed wire schemas. */
export const blockSchema = v.variant('type', [genesis, record, control, erase, rehome, recover])
export const grantSchema = grant
export const controllerSchema = controller
/** Bodies of steps before anybody approved them. */
export const controlBody = v.omit(control.entries.body, ['approvals'])
export const recoverBody = v.omit(recover.entries.body, ['approvals'])

export type Block = v.InferOutput<typeof blockSchema>
export type GenesisBlock = v.InferOutput<typeof genesis>
export type RecordBlock = v.InferOutput<typeof record>
export type ControlBlock = v.InferOutput<typeof control>
export type EraseBlock = v.InferOutput<typeof erase>
export type RehomeBlock = v.InferOutput<typeof rehome>
export type RecoverBlock = v.InferOutput<typeof recover>
/** New public keys of every compartment, with the hash of a new label key. */
export type EpochChange = v.InferOutput<typeof epochChange>
export type BlockEntries = v.InferOutput<typeof entries>
export type Controller = v.InferOutput<typeof controller>
export type Controllers = v.InferOutput<typeof controllers>
export type Grant = v.InferOutput<typeof grant>
export type EpochKey = v.InferOutput<typeof epochKeys>[number]
export type EraseTarget = v.InferOutput<typeof target>
export type RegistryHead = v.InferOutput<typeof registryHead>
export type Home = v.InferOutput<typeof home>

/** The new keys that a block brings, and the packages in which readers get them; null of a block that can bring none. */
export function keysIn(
  block: Block,
): { readonly epoch: EpochChange | null; readonly packages: Digest | null } | null {
  return block.type === 'control' || block.type === 'recover' ? block.body : null
}
