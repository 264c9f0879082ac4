// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, asInstitutionId, type Digest } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { shareRecord } from '#core/client/acts/share-record.ts'
import { stateErased } from '#core/client/acts/state-erased.ts'
import { BATCH_ENTRIES } from '#core/client/append-entries.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'
import type { Negative } from '#tests/vectors/ampere/record/negatives.ts'
import { exportOfTwoInstitutions, exportSignedWithMlDsa } from '../browser/export-files.ts'
import { signatureBroken, TAMPERINGS } from '../browser/tampered-files.ts'
import { comparable, describeWithPython, inNode, verifyInPython } from './software.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const vector = (name: string) => readFileSync(join(ROOT, 'tests/vectors/ampere/record', name), 'utf8')
const exported = vector('export.ampere')
const [{ registry: pinned }] = [JSON.parse(exported.split('\n')[0] ?? '') as { registry: Digest }]
const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })
const AFTER_ALL_BACKUPS = '2030-01-01T00:00:00.000Z'

const inPython = (files: readonly Uint8Array[], options = {}) =>
  verifyInPython(files, options).answers.map(comparable)

/** Exports of one record while an entry of it is erased, by the name of what happened last, with a time to judge by. */
async function exportsOfAnErasure() {
  const world = await testDeployment(['hospital-a', 'hospital-b', 'clinic-c'])
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  const files: [name: string, bytes: Uint8Array, nowMs: number][] = []
  const keep = async (name: string, change = (text: string) => text) =>
    files.push([name, utf8(change(fromUtf8(await exportRecord(a, record)))), world.clock.now])
  const [filed, other] = await a.append(record, [entry('one'), entry('two')])
  if (!filed || !other) throw new Error('two entries were filed')
  await shareRecord(a, record, { institution: asInstitutionId('hospital-b'), rights: ['read'] })
  const before = rowIn(await exportRecord(a, record))
  const signers = {
    instances: [world.institution('hospital-a').instance, world.institution('hospital-a').second],
  }
  const erase = async (entries: readonly (typeof filed)[]) => {
    const what = { scope: 'entries' as const, entries, ground: 'misfiled' as const }
    const request = await requestErasure(a, record, what, signers)
    await keep('requested')
    world.clock.now += 73 * 3_600_000
    await settleErasure(a, record, request.block.height, 'complete')
    await keep('completed')
  }
  await erase([filed])
  await keep('completed, and the key is still there', (text) => withRow(text, before))
  const [erasure] = (await a.read(record)).erasures
  if (!erasure) throw new Error('nothing was erased')
  await stateErased(a, record, erasure, 0)
  await stateErased(world.connect('hospital-b'), record, erasure, 30)
  await keep('stated by all')
  world.clock.now += 31 * 86_400_000
  await keep('stated by all, and no backup is left')
  const { kid } = world.institution('hospital-b').instance
  for (const reason of ['suspended', 'compromised'] as const) {
    await world.change('hospital-b', [{ act: 'revoke', kid, reason, suspectFrom: null }])
    await keep(`the key of a statement is ${reason}`)
  }
  await erase([other])
  await keep('all of an object erased', (text) => text)
  await keep('all of an object erased, and the row is gone', (text) =>
    text.replace(/\{"of":"[^"]*","row":.*\n/, ''),
  )
  return { files, world }
}

const rowIn = (bytes: Uint8Array) => /\{"of":"[^"]*","row":.*\n/.exec(fromUtf8(bytes))?.[0] ?? ''
const withRow = (text: string, row: string) => text.replace(/\{"of":"[^"]*","row":.*\n/, row)

/** An export of a record whose writer vanished within a batch, and sent all of it again. */
async function exportOfHalfABatch(): Promise<Uint8Array> {
  const world = await testDeployment(['hospital-a'])
  let appends = 0
  const vanishing = world.connect('hospital-a', {
    fetch: async (request) => {
      if (request.url.endsWith('/v1/blocks') && ++appends > 1) throw new Error('gone')
      return world.fetch(request)
    },
  })
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  const many = Array.from({ length: BATCH_ENTRIES + 1 }, (_, i) => entry(String(i)))
  await expect(vanishing.append(record, many)).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' })
  await a.append(record, many)
  return exportRecord(a, record)
}

describeWithPython('the verifier in Python', () => {
  it('says of the frozen export what verifyExport says, now and after all backups have expired', async () => {
    const bytes = utf8(exported)
    const { status, answers } = verifyInPython([bytes], { registry: pinned })
    expect(status).toBe(0)
    expect(answers.map(comparable)).toEqual([await inNode(bytes, pinned)])
    expect(answers[0]).toMatchObject({ blocks: 11, entries: 4, erased: 1, problems: [] })
    expect(inPython([bytes], { now: AFTER_ALL_BACKUPS })).toEqual([
      await inNode(bytes, pinned, Date.parse(AFTER_ALL_BACKUPS)),
    ])
    const foreign = `${pinned.startsWith('A') ? 'B' : 'A'}${pinned.slice(1)}`
    expect(inPython([bytes], { registry: foreign })).toEqual([
      { code: 'VERIFICATION_FAILED', rule: 'registry' },
    ])
  })

  it('refuses every frozen export that is spoiled as it must be refused', () => {
    const { vectors } = JSON.parse(vector('export-rejected.json')) as { vectors: readonly Negative[] }
    const files = vectors.map(({ edits }) => {
      const lines: (string | null)[] = exported.split('\n')
      for (const { line, text } of edits) lines[line - 1] = text
      return utf8(lines.filter((line) => line !== null).join('\n'))
    })
    const { status, answers } = verifyInPython(files, { registry: pinned })
    const said = answers.map((answer) =>
      answer.problems
        ? { problems: answer.problems.map(({ height, rule }) => ({ height, rule })) }
        : { code: answer.code, rule: answer.rule },
    )
    expect(said).toEqual(vectors.map(({ expected }) => expected))
    expect([status, said.length]).toEqual([3, 24])
  })

  it('says what verifyExport says of a record of two institutions, and of whatever is done to it', async () => {
    const file = await exportOfTwoInstitutions()
    const elsewhere = Buffer.from(
      Buffer.from(file.bytes)
        .toString()
        .replace(/"origin":"[^"]*"/, '"origin":"http://elsewhere.test"'),
    )
    const files = [file.bytes, ...TAMPERINGS.map(([, tamper]) => tamper(file.bytes)), elsewhere]
    const here = await Promise.all(files.map((bytes) => inNode(bytes, file.registry)))
    const names = ['nothing', ...TAMPERINGS.map(([what]) => what), 'another origin']
    const named = <T>(answers: readonly T[]) => answers.map((answer, i) => [names[i], answer])
    expect(named(inPython(files, { registry: file.registry }))).toEqual(named(here))
    expect(here[0]).toMatchObject({ erased: 1, problems: [] })
    expect(here.at(-1)).toEqual({ code: 'VERIFICATION_FAILED', rule: 'home' })
  })

  it('verifies ML-DSA-44, and finds a signature that is another', async () => {
    const { bytes, registry } = await exportSignedWithMlDsa()
    const files = [bytes, signatureBroken(bytes)]
    const here = await Promise.all(files.map((file) => inNode(file, registry)))
    expect(here[1]).toEqual({ code: 'VERIFICATION_FAILED', rule: 'signature' })
    expect(inPython(files, { registry })).toEqual(here)
  })

  it('says what verifyExport says of an erasure as it goes on', async () => {
    const { files, world } = await exportsOfAnErasure()
    const said: [string, string][] = []
    for (const [name, bytes, nowMs] of files) {
      const here = await inNode(bytes, world.registryId, nowMs)
      expect([name, ...inPython([bytes], { registry: world.registryId, now: toTimestamp(nowMs) })]).toEqual([
        name,
        here,
      ])
      said.push([name, String('statuses' in here ? here.statuses?.[2] : here.code)])
    }
    expect(said).toEqual([
      ['requested', 'promised'],
      ['completed', 'erasing'],
      ['completed, and the key is still there', 'erasing'],
      ['stated by all', 'erasing'],
      ['stated by all, and no backup is left', 'erased'],
      ['the key of a statement is suspended', 'erased'],
      ['the key of a statement is compromised', 'erasing'],
      ['requested', 'erasing'],
      ['completed', 'erasing'],
      ['all of an object erased', 'erasing'],
      ['all of an object erased, and the row is gone', 'missing'],
    ])
  })

  it('says what verifyExport says of half a batch, which is incomplete', async () => {
    const bytes = await exportOfHalfABatch()
    const here = await inNode(bytes)
    expect(inPython([bytes])).toEqual([here])
    expect(here).toMatchObject({ statuses: ['promised', 'promised', 'incomplete', 'promised', 'promised'] })
  })

  it('verifies what the demo of this version exports', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ampere-demo-'))
    const ampere = (...args: readonly string[]) => {
      const run = spawnSync(process.execPath, [join(ROOT, 'cli/ampere.mjs'), ...args, '--data', folder], {
        encoding: 'utf8',
        cwd: folder,
      })
      if (run.status !== 0) throw new Error(run.stderr)
      return run.stdout
    }
    try {
      ampere('start', '--demo', '--no-witness', '--once')
      const list = JSON.parse(ampere('chain', 'list', '--json')) as { items: readonly { chain: string }[] }
      const chains = list.items.map(({ chain }) => chain)
      const files = chains.map((chain, i) => {
        const file = join(folder, `${i}.ampere`)
        ampere('chain', 'export', chain, file)
        return readFileSync(file)
      })
      const here = await Promise.all(files.map((bytes) => inNode(bytes)))
      expect(here).toContainEqual(expect.objectContaining({ erased: 1, problems: [] }))
      expect(inPython(files)).toEqual(here)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
