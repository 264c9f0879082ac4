// SPDX-License-Identifier: Apache-2.0
import { toBase64url, utf8 } from '#core/bytes/encoding.ts'
import type { CompartmentId } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { changeChain, rotateChain } from '#core/client/acts/change-chain.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'
import { instanceRecords } from '#tests/deployment.ts'
import { hand, mayAppend, type KnownGrant, type Story } from './world.ts'

const HOUR = 3_600_000

/** One step that must succeed; it does nothing where it does not apply. `pick` chooses among what is possible. */
export type Step = (story: Story, pick: number) => Promise<void>

/** Steps by name; each brings the model along with what it did. */
export const STEPS: Readonly<Record<string, Step>> = {
  append: (story, pick) => append(story, 'hospital-a', pick),
  'append as another': (story, pick) => append(story, other(pick), pick >> 1),
  grant: putGrant,
  revoke: async (story, pick) => {
    const name = other(pick)
    const known = story.model.grants.get(name)
    if (!known) return
    await changeChain(story.a, story.record, { revoke: [story.world.institution(name).id] })
    story.model.grants.delete(name)
    // Who could only write takes nothing along, so that no new keys are needed.
    if (known.rights.includes('read')) story.model.epoch++
    hand(story)
  },
  rotate: async (story) => {
    await rotateChain(story.a, story.record)
    const { grants } = story.model
    for (const [name, { untilMs }] of grants) {
      if (untilMs !== null && untilMs <= story.world.clock.now) grants.delete(name)
    }
    story.model.epoch++
    hand(story)
  },
  cut: async (story) => {
    await changeChain(story.a, story.record, { newEpoch: true, cut: true })
    story.model.epoch++
    story.model.reachable = story.model.epoch
    hand(story)
  },
  hold: async (story) => {
    story.model.hold = !story.model.hold
    await changeChain(story.a, story.record, { hold: story.model.hold })
  },
  claim,
  'request erasure': requestOne,
  'settle erasure': settleOne,
  wait: async (story, pick) => {
    story.world.clock.now += (1 + (pick % 40)) * HOUR
  },
  registry: async (story) => {
    const { world, spare } = story
    if (spare.state === 'unknown') {
      const { id } = world.institution('hospital-a')
      const enrolled = instanceRecords('hospital-a-9', id, spare.signer, ['control', 'create', 'identify'])
      await world.change('hospital-a', [{ act: 'enrol', ...enrolled }])
      spare.state = 'enrolled'
    } else if (spare.state === 'enrolled') {
      const { kid } = spare.signer
      await world.change('hospital-a', [{ act: 'revoke', kid, reason: 'compromised', suspectFrom: null }])
      spare.state = 'revoked'
    }
  },
}

async function append(story: Story, name: string, pick: number): Promise<void> {
  const { model, record, names } = story
  const able = names.filter(({ id }) => mayAppend(story, name, id) && canName(story, name, id))
  const wanted = [able[pick % Math.max(1, able.length)], ...(pick % 3 === 0 ? [able[0]] : [])]
  const entries = wanted.flatMap((compartment, i) =>
    compartment ? [{ ...compartment, text: `entry ${model.entries.length + i}` }] : [],
  )
  if (entries.length === 0) return
  const filed = await story.connection(name).append(
    record,
    entries.map(({ text, name: compartment }) => ({ header: utf8('{}'), content: utf8(text), compartment })),
  )
  const { epoch } = model
  for (const [i, { text, id }] of entries.entries()) {
    const place = filed[i]
    if (!place) throw new Error('an entry was not filed')
    model.entries.push({ text, compartment: id, epoch, id: place.id, height: place.height, erased: false })
  }
}

/** Names of compartments come with packages, so an institution that was never a reader knows none. */
function canName(story: Story, name: string, compartment: CompartmentId): boolean {
  return [...(story.model.held.get(name) ?? [])].some((held) => held.startsWith(`${compartment}/`))
}

async function putGrant(story: Story, pick: number): Promise<void> {
  const { model, names, world, a, record } = story
  const name = other(pick)
  const before = model.grants.get(name)
  const rights = ([['append', 'read'], ['read'], ['append']] as const)[(pick >> 1) % 3] ?? ['read']
  const compartments =
    (pick >> 3) % 2 === 0 ? names.map(({ id }) => id) : names.slice(0, 1).map(({ id }) => id)
  const untilMs = (pick >> 4) % 2 === 0 ? null : world.clock.now + 20 * HOUR
  const put: KnownGrant = { rights, compartments, untilMs }
  const until = untilMs === null ? null : toTimestamp(untilMs)
  const institution = world.institution(name).id
  await changeChain(a, record, {
    grant: [{ institution, rights: [...rights], compartments: [...compartments], until, limits: null }],
  })
  const read = (given: KnownGrant | undefined) =>
    given?.rights.includes('read') === true ? given.compartments : []
  if (read(before).some((id) => !read(put).includes(id))) model.epoch++
  model.grants.set(name, put)
  hand(story)
}

async function claim(story: Story): Promise<void> {
  const { model, world, device, a, record } = story
  const own = { kind: 'institution' as const, institution: world.institution('hospital-a').id }
  const { kid, publicKey: jwk } = device.signer
  const sealing = toBase64url(sealingPublicKey(device.sealingSeed))
  const members = model.claimed ? [own] : [own, { kind: 'device' as const, kid, jwk, sealing }]
  const { instance } = world.institution('hospital-a')
  await changeChain(a, record, { controllers: { threshold: 1, members } }, [instance, device.signer])
  if (model.claimed) model.epoch++
  model.claimed = !model.claimed
  hand(story)
}

async function requestOne(story: Story, pick: number): Promise<void> {
  const { model, world, device, a, record } = story
  const standing = model.entries.filter((entry) => !entry.erased)
  const entry = standing[pick % Math.max(1, standing.length)]
  if (!entry || model.hold || model.pending.length >= 3) return
  const { instance, second } = world.institution('hospital-a')
  const byPatient = model.claimed && pick % 2 === 0
  const approvers = byPatient ? { patient: [device.signer] } : { instances: [instance, second] }
  const what = { scope: 'entries' as const, entries: [entry], ground: 'misfiled' as const }
  const { block } = await requestErasure(a, record, what, approvers)
  const dueMs = Date.parse(block.time) + (byPatient ? 0 : 72 * HOUR)
  model.pending.push({ height: block.height, entry, dueMs })
}

async function settleOne(story: Story, pick: number): Promise<void> {
  const { model, world, a, record } = story
  const step = model.pending[pick % Math.max(1, model.pending.length)]
  if (!step) return
  const isDue = !model.hold && step.dueMs <= world.clock.now
  const act = isDue && pick % 4 !== 0 ? 'complete' : 'cancel'
  await settleErasure(a, record, step.height, act)
  model.pending = model.pending.filter((waiting) => waiting !== step)
  if (act === 'complete') step.entry.erased = true
}

function other(pick: number): string {
  return pick % 2 === 0 ? 'hospital-b' : 'hospital-c'
}
