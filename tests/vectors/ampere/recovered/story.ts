// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '#core/bytes/encoding.ts'
import { asInstitutionId } from '#core/bytes/ids.ts'
import type { Block, Controller } from '#core/block/block.ts'
import type { Link } from '#core/chain/state.ts'
import { generateSoftwareKey, softwareSigner } from '#core/crypto/signature.ts'
import type { Signer } from '#core/ports/keys.ts'
import {
  control,
  digest,
  follow,
  genesis,
  grantAll,
  later,
  newEpoch,
  recover,
  seal,
  type Rules,
} from '#tests/core/chain/small-chain.ts'
import { bytesFor, type Cast } from '../record/cast.ts'

type Device = Extract<Controller, { kind: 'device' }>

/** A patient's keys, beside those of the cast. */
export interface Patient {
  readonly sheet: Signer
  readonly phone: Signer
  readonly members: Readonly<Record<'lost' | 'sheet' | 'phone', Device>>
}

/** A chain that was claimed, that its patient nearly lost to a stranger's request, and that was recovered. */
export interface Recovered {
  readonly rules: Rules
  readonly patient: Patient
  readonly links: readonly Link[]
}

/** The chain's rules look at no key that seals, so drawn bytes stand for the epochs' and devices'. */
export async function tellRecovery(cast: Cast): Promise<Recovered> {
  const rules: Rules = { history: cast.history, random: bytesFor('recovery') }
  const patient = await patientOf(cast)
  const { 'hospital-a-1': a, device: lost } = cast.signers
  const { sheet, phone, members } = patient
  const hospital: Controller = { kind: 'institution', institution: asInstitutionId('hospital-a') }
  const links: Link[] = []
  const head = () => links.at(-1) as Link
  const add = async (draft: Block, author: Signer): Promise<void> => {
    const parent = links.at(-1) ?? null
    links.push(await follow(rules, parent, await seal(rules, parent, draft, author)))
  }
  const keys = () => ({ epoch: newEpoch(rules, head().state), packages: digest(rules.random) })
  await add(await genesis(rules, [hospital], [a]), a)
  const put = [grantAll(head().state, hospital.institution)]
  await add(await control(rules, head(), [a], { grants: { put, remove: [] }, packages: digest(rules.random) }), a)
  const claim = {
    controllers: { threshold: 1, members: [hospital, members.lost] },
    recovery: { threshold: 2, members: [members.lost, members.sheet, hospital] },
    packages: digest(rules.random),
  }
  await add(await control(rules, head(), [a, lost, sheet], claim), a)
  const wanted = {
    controllers: { threshold: 1, members: [hospital, members.phone] },
    recovery: { threshold: 2, members: [members.phone, members.sheet, hospital] },
  }
  const stranger = await recover(rules, head(), [sheet, lost, phone], wanted)
  await add(stranger, sheet)
  const first = { ...stranger.body, approvals: [], request: head().opened.block.height }
  await add(await recover(rules, head(), [], { ...first, act: 'cancel' }), lost)
  const request = await recover(rules, head(), [sheet, a, phone], wanted)
  await add(request, sheet)
  const asked = { ...request.body, approvals: [], request: head().opened.block.height }
  const done = await recover(rules, head(), [], { ...asked, act: 'complete', ...keys() })
  await add({ ...done, time: later(asked.notBefore, 0) }, sheet)
  await add(await control(rules, head(), [phone], { recovery: null, ...keys() }), phone)
  return { rules, patient, links }
}

/** Blocks that break a rule each behind the request that was vouched for, although their authors signed them. */
export async function rejectedBehind({ rules, patient, links }: Recovered, { signers }: Cast) {
  const parent = links[5]
  if (parent?.opened.block.type !== 'recover') throw new Error('a request is expected')
  const random = bytesFor('recovery rejected')
  const own = { ...rules, random }
  const asked = { ...parent.opened.block.body, request: parent.opened.block.height }
  const keys = { epoch: newEpoch(own, parent.state), packages: digest(random) }
  const time = later(asked.notBefore, 0)
  const complete = { ...asked, act: 'complete' as const, ...keys }
  const cancelled = await recover(own, parent, [], { ...asked, act: 'cancel' })
  const early = await recover(own, parent, [], complete)
  const keyless = await recover(own, parent, [], { ...complete, epoch: null })
  const other = await recover(own, parent, [], { ...complete, recovery: null })
  const alone = await recover(own, parent, [patient.sheet, patient.phone], {
    controllers: asked.controllers,
    recovery: asked.recovery,
  })
  const frozen = await control(own, parent, [signers.device], { hold: true })
  return [
    ['recover-frozen', await seal(own, parent, frozen, signers.device)],
    ['recover-removed', await seal(own, parent, cancelled, signers.device)],
    ['recover-early', await seal(own, parent, early, patient.sheet)],
    ['epoch-missing', await seal(own, parent, { ...keyless, time }, patient.sheet)],
    ['recover-action', await seal(own, parent, { ...other, time }, patient.sheet)],
    ['threshold', await seal(own, parent, alone, patient.sheet)],
  ] as const
}

async function patientOf(cast: Cast): Promise<Patient> {
  const drawn = async (name: string) =>
    softwareSigner('Ed25519', generateSoftwareKey('Ed25519', bytesFor(name)).seed)
  const [sheet, phone] = [await drawn('sheet'), await drawn('phone')]
  const member = ({ kid, publicKey: jwk }: Signer, name: string): Device => ({
    kind: 'device',
    kid,
    jwk,
    sealing: toBase64url(bytesFor(`${name} sealing key`)(1216)),
  })
  const members = {
    lost: member(cast.signers.device, 'lost'),
    sheet: member(sheet, 'sheet'),
    phone: member(phone, 'phone'),
  }
  return { sheet, phone, members }
}
