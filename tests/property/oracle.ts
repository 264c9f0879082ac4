// SPDX-License-Identifier: Apache-2.0
import { expect } from '@jest/globals'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import type { EpochPackage } from '#core/api/append.ts'
import { foldBlocks } from '#core/chain/fold-blocks.ts'
import { stateHash } from '#core/chain/state.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { openBlockEntries } from '#core/client/read/open-entries.ts'
import { openKeyring } from '#core/client/read/reader-keys.ts'
import type { Replica } from '#core/client/read/replica.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { isAmpereError } from '#core/errors.ts'
import { select } from '#core/ports/needs.ts'
import { auditChains, listChains } from '#core/server/audit/audit.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import { loadHead, loadState, objectName, rowKey } from '#core/server/store/rows.ts'
import type { Attempt } from './attempts.ts'
import { readers, type Story } from './world.ts'

/** The one state of the record: what the home keeps, what a newcomer verifies, what the raw blocks fold to. */
export async function agreedState(story: Story): Promise<Replica> {
  const { world, store, record } = story
  const blocks = world.platform.table('blocks')
  const head = await loadHead(blocks, record)
  if (!head) throw new Error('the record is gone')
  const kept = await loadState(world.platform.table('states'), record, head.block.state)
  const newcomer = world.connect('hospital-a')
  const replica = await newcomer.replica(record)
  expect(replica.link.state).toEqual(kept)
  expect(replica.head).toMatchObject({ height: head.block.height, block: head.id })
  const registry = await world.home.registry.refresh()
  const compacts = (await store.rows('blocks', record)).map((row) => fromUtf8(row.value))
  const context = { viewAt: registry.viewAt, keyOf: registry.keyOf, verifiers: createVerifiers() }
  const folded = await foldBlocks(null, compacts, { chain: record, ...context })
  expect(folded.broken).toBeNull()
  expect(folded.links.map(({ opened, state }) => [opened.block.state, stateHash(state)])).toEqual(
    folded.links.map(({ opened }) => [opened.block.state, opened.block.state]),
  )
  expect(folded.links.at(-1)?.state).toEqual(kept)
  const report = await verifyExport(await exportRecord(newcomer, record), { registry: world.registryId })
  expect({ blocks: report.blocks, problems: report.problems, erased: report.erased }).toEqual({
    blocks: head.block.height + 1,
    problems: [],
    erased: story.model.entries.filter((entry) => entry.erased).length,
  })
  return replica
}

/** What the model says of the state, in the words of the state. */
export function expectModel({ model }: Story, { link }: Replica): void {
  const { state } = link
  expect({
    grants: state.grants.map(({ institution }) => String(institution)),
    controllers: state.controllers.members.length,
    epoch: state.epoch.number,
    hold: state.hold,
    pending: state.pending.map(({ height }) => height),
  }).toEqual({
    grants: [...model.grants.keys()].toSorted((a, b) => (a < b ? -1 : 1)),
    controllers: model.claimed ? 2 : 1,
    epoch: model.epoch,
    hold: model.hold,
    pending: model.pending.map(({ height }) => height),
  })
}

/**
 * Each reader, past and present, opens exactly what it was ever given the keys for, even with every package,
 * key row and object of the home in its hands: a removed reader nothing that was sealed later, a remaining one
 * everything that it was granted.
 */
export async function expectReaders(story: Story, replica: Replica): Promise<void> {
  const packages = (await story.store.rows('packages', story.record)).map(
    (row) => JSON.parse(fromUtf8(row.value)) as EpochPackage,
  )
  for (const [reader, held] of story.model.held) {
    const may = story.model.entries.filter((e) => !e.erased && held.has(`${e.compartment}/${e.epoch}`))
    const opened = await openedBy(story, replica, packages, reader)
    expect({ reader, opened: sorted(opened) }).toEqual({
      reader,
      opened: sorted(may.map(({ text }) => text)),
    })
  }
}

async function openedBy(
  story: Story,
  replica: Replica,
  packages: readonly EpochPackage[],
  reader: string,
): Promise<string[]> {
  const { world, record, device } = story
  const seed = reader === device.signer.kid ? device.sealingSeed : world.institution(reader).sealingSeed
  const signer = reader === device.signer.kid ? device.signer : world.institution(reader).instance
  const identity = { reader, institution: null, signer, sealingSeed: async () => seed }
  const keyring = await openKeyring(replica, packages, identity)
  const texts: string[] = []
  for (const note of replica.notes) {
    if (!note.entries) continue
    const row = await world.platform.table('wraps').get(record, rowKey(note.entries))
    const object = await world.platform.objects('entries').fetch(objectName(record, note.entries.root))
    const { opened } = await openBlockEntries(replica, note, { row: row?.value ?? null, object }, keyring)
    texts.push(...opened.map((entry) => fromUtf8(entry.content)))
  }
  return texts
}

/** Through HTTP, each reader of today gets the same, and whoever has no part in the record learns nothing of it. */
export async function expectServed(story: Story): Promise<void> {
  const { world, record, model } = story
  for (const name of ['hospital-a', 'hospital-b', 'hospital-c']) {
    const reading = world.connect(name).read(record)
    const grant = model.grants.get(name)
    if (!grant || (grant.untilMs !== null && grant.untilMs <= world.clock.now)) {
      await expect(reading).rejects.toMatchObject({ code: 'NOT_FOUND' })
      continue
    }
    const view = await reading
    const held = readers(story).includes(name) ? (model.held.get(name) ?? new Set()) : model.held.get(name)
    const may = model.entries.filter((e) => !e.erased && held?.has(`${e.compartment}/${e.epoch}`) === true)
    expect(sorted(view.opened.map((entry) => fromUtf8(entry.content)))).toEqual(
      sorted(may.map(({ text }) => text)),
    )
    const erased = view.closed.filter(({ status }) => status === 'erased')
    expect(erased).toHaveLength(model.entries.filter((entry) => entry.erased).length)
  }
  const ports = await select(world.platform, AUDITOR_NEEDS)
  expect((await auditChains(ports, world.home, listChains(ports))).findings).toEqual([])
}

/** What must be refused is, for one of its reasons, and changes nothing in any table or store. */
export async function expectRefused(story: Story, attempt: Attempt | null): Promise<void> {
  if (!attempt) return
  const before = await story.store.dump()
  const { api } = story.world.connect('hospital-a')
  const error = await api.append(attempt.append).then(
    () => null,
    (refusal: unknown) => refusal,
  )
  if (!isAmpereError(error)) throw new Error(`accepted, or failed otherwise: ${String(error)}`)
  const rule = /^rule ([a-z-]+):/.exec(error.message)?.[1]
  expect(attempt.by).toContain(error.code === 'VIOLATION' ? rule : error.code)
  expect(await story.store.dump()).toEqual(before)
}

/** What was accepted once is accepted again, whatever was erased since, and changes nothing. */
export async function expectRepeated(story: Story, pick: number): Promise<void> {
  const before = await story.store.dump()
  const sent = story.accepted[pick % story.accepted.length]
  if (!sent) return
  const answer = await story.world.connect('hospital-b').api.append(sent)
  expect(answer.block.split('.', 2)).toEqual(sent.block.split('.', 2))
  expect(await story.store.dump()).toEqual(before)
}

function sorted(texts: readonly string[]): string[] {
  return [...texts].toSorted((a, b) => (a < b ? -1 : 1))
}
