// SPDX-License-Identifier: Apache-2.0
import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SMALL_OBJECT_BYTES } from '#adapters/local/objects.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { decodeAppend } from '#core/api/append.ts'
import { toNewEntries } from '#core/bridge/file/file-resources.ts'
import { recordItems } from '#core/bridge/serve/record-items.ts'
import type { Projection } from '#core/bridge/serve/projection.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { COMPARTMENTS } from '#core/record/entry.ts'
import { checkRecord } from '#core/consistency/check.ts'
import { knowledge, testBridge, type BridgeWorld } from '#tests/bridge-world.ts'
import { ORIGIN, START_MS, testDeployment } from '#tests/deployment.ts'
import { figure, median, ratios, ROUNDS, time, type Bench, type Figure, type Sample } from './measure.ts'
import { durableDeployment, HOME, inFolder, INSTITUTION, localPlatform } from './worlds/durable.ts'
import { syntheaBundles } from './worlds/samples.ts'
import { appendRequest, sealAppends } from './worlds/sealed-appends.ts'

const CORES = 2
/** As many entries as the client puts into one block. */
const BLOCK_ENTRIES = 256

export const bench: Bench = {
  question: 'How fast is a Synthea bundle imported, and what does each part of it take?',
  run: () =>
    inFolder(async (folder) => {
      const bundles = syntheaBundles()
      const rounds: Round[] = []
      for (let round = -1; round < ROUNDS; round++) {
        const own = join(folder, String(round))
        const measured = await importOnce(join(own, 'whole'), bundles)
        const parts = await partsOnce(join(own, 'parts'), bundles, measured.projections)
        if (round >= 0) rounds.push({ ...parts, whole: measured.whole, count: measured.count })
      }
      return {
        sizes: `${bundles.length} bundles, ${rounds[0]?.count} resources, ${Math.round(bundles.reduce((sum, bytes) => sum + bytes.length, 0) / 1024)} KiB; each a new patient with chains of its own; ${ROUNDS} rounds, each on an empty data folder of the local adapter`,
        figures: figuresOf(rounds),
        doesNotShow:
          'a home across a network, whose round trips an import waits for; validation on first use, which compiles a schema per type; larger records, which are checked as a whole.',
      }
    }),
}

/** The parts that no import can do without, each measured alone. */
const PARTS = {
  read: 'read, validate, label',
  seal: 'seal and sign, in blocks of 256',
  append: 'judge at the home, store in memory',
  durable: 'store durably, raw',
  check: 'check consistency',
} as const
type Part = keyof typeof PARTS

type Round = Readonly<Record<Part | 'whole', Sample>> & { readonly count: number; readonly create: Sample }

/** Imports everything into an empty deployment on disk. */
async function importOnce(folder: string, bundles: readonly Uint8Array[]) {
  const world = await durableDeployment(join(folder, 'home'))
  const own = localPlatform(join(folder, 'bridge'))
  const bridge = testBridge(world, INSTITUTION, { table: own.table('bridge') })
  const patients = new Set<string>()
  let count = 0
  const whole = await time(async () => {
    for (const bytes of bundles) {
      const { filed, quarantined } = await bridge.bridge.import(bytes, 'fhir+json')
      if (quarantined.length > 0) throw new Error('a resource was not filed')
      count += filed.length
      for (const { patientId } of filed) patients.add(patientId)
    }
  })
  const projections: Projection[] = []
  for (const id of patients) projections.push((await bridge.bridge.record(id)).projection)
  await own.close()
  await world.platform.close()
  return { whole, count, projections }
}

/** The same resources, part by part, each part waiting for nothing but itself. */
async function partsOnce(
  folder: string,
  bundles: readonly Uint8Array[],
  projections: readonly Projection[],
): Promise<Omit<Round, 'whole' | 'count'>> {
  const world = await testDeployment([INSTITUTION])
  const connection = world.connect(INSTITUTION)
  const { bridge } = testBridge(world, INSTITUTION)
  const made: ChainId[] = []
  const create = await time(async () => {
    for (const _ of bundles) made.push((await createRecord(connection, HOME, COMPARTMENTS)).record)
  })
  const chains = await Promise.all(made.map((chain) => connection.replica(chain)))
  const drafts: (readonly Draft[])[] = []
  const read = await time(async () => {
    for (const bytes of bundles) drafts.push(draftsOf(bridge, bytes))
  })
  const bodies: Uint8Array<ArrayBuffer>[] = []
  const seal = await time(async () => {
    for (const [i, replica] of chains.entries()) {
      const sealed = await sealAppends(connection, replica, blocksOf(toNewEntries(drafts[i] ?? [])))
      bodies.push(...sealed.bodies)
    }
  })
  const append = await time(async () => {
    for (const body of bodies) {
      const answer = await world.fetch(appendRequest(ORIGIN, body))
      if (answer.status !== 201) throw new Error(`the home answered ${await answer.text()}`)
    }
  })
  const durable = await storeRaw(folder, bodies)
  const check = await time(async () => {
    for (const projection of projections) checkRecord(recordItems(projection), knowledge, START_MS)
  })
  return { create, read, seal, append, durable, check }
}

type Draft = Parameters<typeof toNewEntries>[0][number]

function draftsOf(bridge: BridgeWorld['bridge'], bytes: Uint8Array): readonly Draft[] {
  return bridge.intake(bytes, 'fhir+json').items.map((item) => item.draft)
}

function blocksOf<T>(entries: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(entries.length / BLOCK_ENTRIES) }, (_, i) =>
    entries.slice(i * BLOCK_ENTRIES, (i + 1) * BLOCK_ENTRIES),
  )
}

/** The same bytes, durable by nothing of ours: large objects as files, the rest as one transaction per block. */
async function storeRaw(folder: string, bodies: readonly Uint8Array[]): Promise<Sample> {
  mkdirSync(folder, { recursive: true })
  const appends = bodies.map(decodeAppend)
  const db = new DatabaseSync(join(folder, 'floor.db'))
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  db.exec('CREATE TABLE rows (key INTEGER PRIMARY KEY, value BLOB NOT NULL)')
  const insert = db.prepare('INSERT INTO rows (value) VALUES (?)')
  const sample = await time(async () => {
    for (const [i, { block, row, object }] of appends.entries()) {
      const isLarge = object !== null && object.length > SMALL_OBJECT_BYTES
      if (isLarge) writeDurably(join(folder, String(i)), object)
      db.exec('BEGIN IMMEDIATE')
      if (object && !isLarge) insert.run(object)
      insert.run(utf8(row ?? ''))
      insert.run(utf8(block))
      db.exec('COMMIT')
    }
  })
  db.close()
  return sample
}

function writeDurably(file: string, bytes: Uint8Array): void {
  for (const [path, flags] of [
    [file, 'w'],
    [dirname(file), 'r'],
  ] as const) {
    const handle = openSync(path, flags)
    if (path === file) writeSync(handle, bytes)
    fsyncSync(handle)
    closeSync(handle)
  }
}

function figuresOf(rounds: readonly Round[]): readonly Figure[] {
  const parts = Object.keys(PARTS) as Part[]
  const rate = rounds.map(({ count, whole }) => count / (whole.wallMs / 1000))
  // Nothing of a part can be saved by the other core but its CPU time; the disk is waited for as it is.
  const floor = rounds.map(
    (round) => round.count / (parts.reduce((sum, part) => sum + leastMs(part, round[part]), 0) / 1000),
  )
  const share = (cpuMs: (round: Round) => number) =>
    rounds.map((round) => (100 * cpuMs(round)) / round.whole.cpuMs)
  const rest = (round: Round) =>
    parts.reduce((left, part) => left - round[part].cpuMs, round.whole.cpuMs - round.create.cpuMs)
  const perResource = (cpuMs: (round: Round) => number) =>
    Math.round(median(rounds.map((round) => (cpuMs(round) * 1000) / round.count)))
  const shareOf = (name: string, cpuMs: (round: Round) => number) =>
    figure(`share: ${name}, ${perResource(cpuMs)} us each`, '%', share(cpuMs))
  return [
    figure('imported, durable', 'resources/s', rate, { atLeast: 1500 }),
    figure(`floor: its parts, spread over ${CORES} cores`, 'resources/s', floor),
    figure('ratio to the floor', '', ratios(rate, floor), { atLeast: 0.5 }),
    figure(
      'CPU per resource',
      'us',
      rounds.map((round) => (round.whole.cpuMs * 1000) / round.count),
    ),
    ...parts.map((part) => shareOf(PARTS[part], (round) => round[part].cpuMs)),
    shareOf('make the chains (no part of the floor)', (round) => round.create.cpuMs),
    shareOf('all else (no part of the floor)', rest),
  ]
}

function leastMs(part: Part, { wallMs, cpuMs }: Sample): number {
  return part === 'durable' ? wallMs : cpuMs / CORES
}
