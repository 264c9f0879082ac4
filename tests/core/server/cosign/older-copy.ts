// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import type { Row } from '#core/ports/table.ts'
import { createCosigner } from '#core/server/cosign/cosigner.ts'
import { COSIGNER_NEEDS } from '#core/server/cosign/needs.ts'
import { loadTree } from '#core/server/sequence/tree.ts'
import { homeApp } from '#functions/all.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { ORIGIN } from '#tests/deployment.ts'
import { witnessedWorld, type WitnessedWorld } from './witnessed-world.ts'

export const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
export const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })
/** All that a copy of a home's stores has. */
const TABLES = ['blocks', 'states', 'wraps', 'chains', 'dirty', 'leaves', 'checkpoints', 'packages'] as const

/** A home that was copied, went on, and was then put back to the copy. */
export async function olderCopy(witnesses: readonly string[], quorum: number) {
  const made = await witnessedWorld(witnesses, quorum)
  const { world, base } = made
  const { record } = await createRecord(world.connect('hospital-a'), HOME, ['general'])
  await world.connect('hospital-a').append(record, [entry('in the copy')])
  await world.tendLog()
  const copy = await rowsOf(base, record)
  const tree = await loadTree(base.table('checkpoints'))
  const staged = tree?.tree.staging ?? ''
  const staging = await base.objects('staging').fetch(staged)
  await world.connect('hospital-a').append(record, [entry('after it')])
  await world.tendLog()
  await putBack(base, record, copy)
  await base.objects('staging').store(staged, staging ?? utf8(''))
  return { ...made, record }
}

type Copy = ReadonlyMap<string, readonly Row[]>
const partitionsOf = (record: string) => [record, 'log', 'witnessed', 'published', record.slice(0, 1)]

export async function rowsOf(base: Platform, record: string): Promise<Copy> {
  const copy = new Map<string, readonly Row[]>()
  for (const name of TABLES)
    for (const partition of partitionsOf(record))
      copy.set(`${name} ${partition}`, await base.table(name).range(partition))
  return copy
}

export async function putBack(base: Platform, record: string, copy: Copy): Promise<void> {
  for (const name of TABLES)
    for (const partition of partitionsOf(record)) {
      const table = base.table(name)
      for (const { key, version } of await table.range(partition))
        await table.swap(partition, key, version, null)
      for (const { key, value } of copy.get(`${name} ${partition}`) ?? [])
        await table.insert(partition, key, value)
    }
}

/** A round of a process that has just started. */
export async function firstRound({ base, world, policy }: WitnessedWorld) {
  return createCosigner(await select(base, COSIGNER_NEEDS), world.home, policy).run()
}

/** The home as a process that has just started serves it. */
export async function opened(made: WitnessedWorld, looksOnly = false) {
  const { base, world, policy } = made
  const hosting = { now: base.now, random: base.random, log: silentLog }
  const { app, tendLog } = await homeApp(base, world.home, hosting, { policy, looksOnly })
  const get = async (path: string) => {
    const answer = await app.fetch(new Request(new URL(path, ORIGIN)))
    return [answer.status, ((await answer.json()) as { code?: string; log?: string }).code ?? 'none']
  }
  return { get, tendLog, app }
}
