// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '#core/bytes/encoding.ts'
import { asInstitutionId, type ChainId } from '#core/bytes/ids.ts'
import type { Append, EpochPackage } from '#core/api/append.ts'
import type { Block, ControlBlock, Grant } from '#core/block/block.ts'
import { packagesRoot } from '#core/block/packages.ts'
import type { ControlState, Link } from '#core/chain/state.ts'
import { digestOf } from '#core/crypto/hash.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'
import type { Signer } from '#core/ports/keys.ts'
import { control, digest, erase, follow, genesis, grantAll, later, record, seal, type Rules } from '#tests/core/chain/small-chain.ts'
import { bytesFor, type Cast } from './cast.ts'
import { fileTexts, historiesFor, makeEpoch, packagesFor, type Epoch, type Frozen } from './parts.ts'

/** One record, block by block, with what its authors send beside each block. */
export interface Story {
  readonly links: readonly Link[]
  readonly appends: readonly Append[]
}

interface Telling extends Rules {
  readonly cast: Cast
  readonly frozen: Frozen
  readonly links: Link[]
  readonly appends: Append[]
}

/** Tells the one story of the vectors: every type of block, every act, two epochs, an erasure, a hold. */
export async function tellStory(cast: Cast, frozen: Frozen): Promise<Story> {
  const telling: Telling = { cast, frozen, history: cast.history, random: bytesFor('story'), links: [], appends: [] }
  const [one, two] = [makeEpoch(1), makeEpoch(2)]
  const { 'hospital-a-1': a, device } = cast.signers
  const own = { kind: 'institution' as const, institution: asInstitutionId('hospital-a') }
  const given = { compartments: [...one.keys], labelKeyHash: digestOf(one.labelKey) }
  await add(telling, await genesis(telling, [own], [a], given), a, { labelKey: toBase64url(one.labelKey) })
  await firstControl(telling, one)
  const filed = await file(telling, one, [
    ['general', 'blood pressure 120 over 80'],
    ['mental-health', 'a note that was filed in the wrong record'],
    ['general', 'weight 70 kg'],
  ])
  await claim(telling, one)
  await rotate(telling, one, two)
  await file(telling, two, [['general', 'weight 71 kg']], device)
  const ids = filed.ids.slice(1, 2)
  await eraseAtOnce(telling, ids)
  await eraseAndCancel(telling)
  await add(telling, await control(telling, head(telling), [a], { hold: true }), a)
  return telling
}

function head(telling: Telling): Link {
  const link = telling.links.at(-1)
  if (!link) throw new Error('nothing was told yet')
  return link
}

async function add(telling: Telling, draft: Block, author: Signer, parts: Partial<Append> = {}): Promise<void> {
  const parent = telling.links.at(-1) ?? null
  const block = await seal(telling, parent, draft, author)
  telling.links.push(await follow(telling, parent, block))
  telling.appends.push({ block, row: null, packages: [], labelKey: null, object: null, ...parts })
}

const chainOf = (telling: Telling): ChainId => head(telling).opened.chain

async function firstControl(telling: Telling, epoch: Epoch): Promise<void> {
  const { 'hospital-a-1': a } = telling.cast.signers
  const { state } = head(telling)
  const [first] = state.compartments
  const all = grantAll(state, asInstitutionId('hospital-a'))
  const reader: Grant = {
    institution: asInstitutionId('hospital-b'),
    rights: ['read'],
    compartments: first ? [first.id] : [],
    until: later(head(telling).opened.block.time, 365 * 86_400_000),
    limits: { blocksPerDay: 100, bytesPerDay: 1_000_000 },
  }
  const grants = { put: [all, reader], remove: [] }
  await change(telling, { grants }, [a], epoch, ['hospital-a', 'hospital-b'])
}

/** A change that brings packages of an epoch for readers: what they may open is as it is after the change. */
async function change(
  telling: Telling,
  given: Partial<Omit<ControlBlock['body'], 'approvals'>>,
  approvers: readonly Signer[],
  epoch: Epoch,
  readers: readonly (keyof Cast['sealing'])[],
  more: readonly EpochPackage[] = [],
): Promise<void> {
  const { cast, frozen } = telling
  const author = cast.signers['hospital-a-1']
  const parent = head(telling)
  // The root that is known last is not looked at by what gives the state.
  const preview = await control(telling, parent, approvers, { ...given, packages: digest(bytesFor('no packages')) })
  const seeds = Object.fromEntries(readers.map((name) => [name === 'device' ? cast.signers.device.kid : name, cast.sealing[name]]))
  const packages = [
    ...(await packagesFor(frozen, chainOf(telling), await stateOf(telling, preview), epoch, seeds)),
    ...more,
  ]
  const draft = await control(telling, parent, approvers, { ...given, packages: packagesRoot(packages) })
  const labelKey = given.epoch ? toBase64url(epoch.labelKey) : null
  await add(telling, draft, author, { packages, labelKey })
}

async function stateOf(telling: Telling, draft: ControlBlock): Promise<ControlState> {
  const { history, cast } = telling
  const parent = head(telling)
  const block = await seal(telling, parent, draft, cast.signers['hospital-a-1'])
  const { state } = await follow({ history, random: telling.random }, parent, block)
  return state
}

async function file(
  telling: Telling,
  epoch: Epoch,
  texts: Parameters<typeof fileTexts>[3],
  author = telling.cast.signers['hospital-a-1'],
) {
  const filed = await fileTexts(telling.frozen, chainOf(telling), epoch, texts)
  const { entries, row, object } = filed
  await add(telling, record(telling, head(telling), entries), author, { row, object })
  return filed
}

async function claim(telling: Telling, epoch: Epoch): Promise<void> {
  const { 'hospital-a-1': a, device } = telling.cast.signers
  const sealing = toBase64url(sealingPublicKey(telling.cast.sealing.device))
  const members = [
    { kind: 'institution' as const, institution: asInstitutionId('hospital-a') },
    { kind: 'device' as const, kid: device.kid, jwk: device.publicKey, sealing },
  ]
  const access = digest(bytesFor('access chain')) as never
  await change(telling, { controllers: { threshold: 1, members }, access }, [a, device], epoch, ['device'])
}

async function rotate(telling: Telling, before: Epoch, epoch: Epoch): Promise<void> {
  const histories = await historiesFor(telling.frozen, chainOf(telling), before, epoch)
  const keys = { compartments: [...epoch.keys], labelKeyHash: digestOf(epoch.labelKey), cut: false }
  const readers = ['hospital-a', 'hospital-b', 'device'] as const
  await change(telling, { act: 'rotate', epoch: keys }, [], epoch, readers, histories)
}

/** The patient alone decides, so the request waits for nothing. */
async function eraseAtOnce(telling: Telling, ids: readonly string[]): Promise<void> {
  const { device, 'hospital-a-1': a } = telling.cast.signers
  const notBefore = later(head(telling).opened.block.time, 1000)
  const targets = [{ height: 2, ids: [...ids] as never[] }]
  const request = await erase(telling, head(telling), [device], { targets, ground: 'patient-request', notBefore })
  await add(telling, request, device)
  const body = { ...request.body, act: 'complete' as const, request: head(telling).opened.block.height }
  await add(telling, await erase(telling, head(telling), [], body), a)
}

/** Two instances of the hospital ask for the whole record, and the device does not let them. */
async function eraseAndCancel(telling: Telling): Promise<void> {
  const { device, 'hospital-a-1': a, 'hospital-a-2': second } = telling.cast.signers
  const whole = { scope: 'record' as const, targets: [], ground: 'legal-duty' as const }
  const request = await erase(telling, head(telling), [a, second], whole)
  await add(telling, request, a)
  const body = { ...request.body, act: 'cancel' as const, request: head(telling).opened.block.height }
  await add(telling, await erase(telling, head(telling), [], body), device)
}
