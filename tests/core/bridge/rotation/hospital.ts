// SPDX-License-Identifier: Apache-2.0
import { memoryTable } from '#adapters/memory/table.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { createOpenRecords } from '#core/bridge/rotation/open-records.ts'
import { createRotation, type Rotation } from '#core/bridge/rotation/rotation.ts'
import { createPatientIndex, type PatientIndex } from '#core/bridge/store/patients.ts'
import { createSealedRows } from '#core/bridge/store/sealed-rows.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { rotatorOf } from '#core/client/acts/rotation/rotate-due.ts'
import { shareRecord } from '#core/client/acts/share-record.ts'
import type { Connection } from '#core/client/connect.ts'
import type { WriteTable } from '#core/ports/table.ts'
import { ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'

export const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
export const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })
/** Long enough for whatever a test does in a slice: its clock stands. */
export const SLICE_MS = 60_000

/** One process of an institution that rotates its records: with a connection of its own, and the table of all. */
export interface Rotating {
  readonly connection: Connection
  readonly patients: PatientIndex
  readonly rotation: Rotation
  /** One slice from now. */
  readonly run: () => Promise<string>
}

/** An institution with records and the table of its bridge, and others to be granted. */
export interface Hospital {
  readonly world: TestDeployment
  readonly table: WriteTable
  readonly open: (connection?: Connection, table?: WriteTable) => Rotating
  /** Makes a record granted to these institutions, and links it. */
  readonly record: (name: string, ...readers: readonly string[]) => Promise<ChainId>
}

export async function hospital(given?: TestDeployment, table: WriteTable = memoryTable()): Promise<Hospital> {
  const world = given ?? (await testDeployment(['hospital-a', 'hospital-b', 'hospital-c']))
  const rows = createSealedRows(world.random(32), world.random)
  const open: Hospital['open'] = (connection = world.connect('hospital-a'), own = table) => {
    const patients = createPatientIndex(own, rows)
    const now = () => world.clock.now
    const rotation = createRotation({
      table: own,
      patients,
      open: createOpenRecords(own, rows),
      rotator: rotatorOf(connection),
      now,
    })
    const run = async () => (await rotation.slice(now() + SLICE_MS)).outcome
    return { connection, patients, rotation, run }
  }
  const a = world.connect('hospital-a')
  const { patients } = open(a)
  const record: Hospital['record'] = async (name, ...readers) => {
    const { record: chain } = await createRecord(a, HOME, ['general', 'mental-health'])
    for (const reader of readers)
      await shareRecord(a, chain, {
        institution: world.institution(reader).id,
        rights: ['append', 'read'],
      })
    await patients.link(name, chain)
    return chain
  }
  return { world, table, open, record }
}

/** Revokes an app instance: the institution's second one, unless it is the first. */
export async function revokeInstance(
  world: TestDeployment,
  name: string,
  which: 'instance' | 'second' = 'second',
): Promise<void> {
  const { kid } = world.institution(name)[which]
  await world.change(name, [{ act: 'revoke', kid, reason: 'compromised', suspectFrom: null }])
}

/** Removes an institution from the registry, with the approval of hospital-a. */
export async function removeInstitution(world: TestDeployment, name: string): Promise<void> {
  const others = Object.keys(world.institutions).filter((other) => other !== name)
  await world.change('hospital-a', [{ act: 'remove', institution: world.institution(name).id }], others)
}

/** Number of the epoch of a record, as a newcomer verifies it. */
export async function epochOf({ world }: Pick<Hospital, 'world'>, chain: ChainId): Promise<number> {
  return (await world.connect('hospital-a').replica(chain)).link.state.epoch.number
}
