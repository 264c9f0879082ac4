// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { openMemory } from '#adapters/memory/open.ts'
import { select, type Needs } from '#core/ports/needs.ts'
import { role as auditor } from '#functions/auditor/role.ts'
import { role as bridge } from '#functions/bridge/role.ts'
import { checkAll } from '#functions/checker/check-all.ts'
import { role as discovery } from '#functions/discovery/role.ts'
import { role as checker } from '#functions/checker/role.ts'
import { jsonLog, silentLog } from '#functions/host/telemetry.ts'
import { role as eraser } from '#functions/eraser/role.ts'
import { role as keeper } from '#functions/keeper/role.ts'
import { role as lookup } from '#functions/lookup/role.ts'
import { role as monitor } from '#functions/monitor/role.ts'
import { role as reader } from '#functions/reader/role.ts'
import { role as registrar } from '#functions/registrar/role.ts'
import { role as sweeper } from '#functions/sweeper/role.ts'
import { role as witness } from '#functions/witness/role.ts'
import { role as worker } from '#functions/worker/role.ts'
import { role as writer } from '#functions/writer/role.ts'
import { testBridge } from '#tests/bridge-world.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'

const ROLES: readonly { readonly name: string; readonly needs: Needs }[] = [
  auditor,
  bridge,
  checker,
  discovery,
  eraser,
  keeper,
  lookup,
  monitor,
  reader,
  registrar,
  sweeper,
  witness,
  worker,
  writer,
]

describe('roles', () => {
  it.each(ROLES)('$name reaches exactly the tables, objects and keys that it names', async ({ needs }) => {
    const ports = await select(openMemory(), needs)
    expect(Object.keys(ports.tables).toSorted()).toEqual(Object.keys(needs.tables).toSorted())
    expect(Object.keys(ports.objects).toSorted()).toEqual(Object.keys(needs.objects).toSorted())
    expect(Object.keys(ports.keys).toSorted()).toEqual(Object.keys(needs.keys).toSorted())
  })

  it('that only audit or read hold nothing that writes, and only the bridge and checker a sealing key', () => {
    for (const { name, needs } of [auditor, discovery, keeper, lookup, reader] as {
      name: string
      needs: Needs
    }[]) {
      const { checkpoints, audits, jobs, ...others } = needs.tables
      expect(Object.values(others).every((access) => access === 'read')).toBe(true)
      expect(Object.values(needs.objects).every((access) => access === 'fetch')).toBe(true)
      // The auditor adds how far it found the log in order, and changes nothing that is there.
      expect(audits).toBe(name === 'auditor' ? 'write' : undefined)
      // It begins jobs; the worker does them.
      expect(jobs).toBe(name === 'auditor' ? 'append' : undefined)
      expect(name === 'auditor' ? ['append'] : ['read', undefined]).toContain(checkpoints)
    }
    const opening = ROLES.filter(({ needs }) => needs.keys.sealing !== undefined).map(({ name }) => name)
    expect(opening.toSorted()).toEqual(['bridge', 'checker'])
  })

  it('that may remove are the eraser and the sweeper alone, and the sweeper holds no key', () => {
    const shredding = ROLES.filter(({ needs }) => needs.objects.entries === 'shred').map(({ name }) => name)
    expect(shredding).toEqual(['eraser', 'sweeper'])
    expect(sweeper.needs.keys).toEqual({})
    expect(Object.entries(writer.needs.tables).filter(([, access]) => access === 'write')).toEqual([
      ['quotas', 'write'],
    ])
  })

  it('that sign uploads are the writer alone, into a store that holds nothing that is kept', () => {
    const offering = ROLES.filter(({ needs }) => needs.uploads !== undefined).map(({ name }) => name)
    expect(offering).toEqual(['writer'])
    const using = ROLES.filter(({ needs }) => needs.objects.uploads !== undefined).map(({ name }) => name)
    expect(using).toEqual(['sweeper', 'worker', 'writer'])
  })

  it('that cosign have one table and two keys, which no other role has', () => {
    expect(witness.needs).toEqual({
      tables: { witness: 'write', checkpoints: 'read' },
      objects: {},
      keys: { witness: 'sign', 'witness-quantum': 'sign' },
    })
    const others = ROLES.filter(({ name }) => name !== 'witness')
    const using = others.filter(
      ({ needs }) => needs.tables.witness ?? needs.keys.witness ?? needs.keys['witness-quantum'],
    )
    expect(using).toEqual([])
  })

  it('that copy what strangers serve hold no key, and share one table with those that answer from it', () => {
    expect(monitor.needs).toEqual({ tables: { monitored: 'write' }, objects: {}, keys: {} })
    expect(lookup.needs).toEqual({
      tables: { monitored: 'read', checkpoints: 'read' },
      objects: {},
      keys: { head: 'sign' },
    })
    const others = ROLES.filter(({ name }) => !['lookup', 'monitor'].includes(name))
    expect(others.filter(({ needs }) => needs.tables.monitored)).toEqual([])
  })

  it('check every record on schedule, and find nothing new the second time', async () => {
    const world = testBridge(await testDeployment(['hospital-a']), 'hospital-a')
    const sample = { resourceType: 'Patient', id: 'p1', birthDate: '1980-01-01' }
    const odd = {
      resourceType: 'Encounter',
      id: 'e1',
      status: 'finished',
      class: { code: 'AMB' },
      subject: { reference: 'Patient/p1' },
      period: { start: '2020-02-01', end: '2020-01-01' },
    }
    const report = await world.bridge.import(
      Buffer.from([sample, odd].map((one) => JSON.stringify(one)).join('\n')),
      'fhir+ndjson',
    )
    expect({ quarantined: report.quarantined, findings: report.findings }).toEqual({
      quarantined: [],
      findings: 1,
    })
    expect(await checkAll(world.bridge, silentLog)).toEqual({
      patients: 1,
      newFindings: 0,
      failed: 0,
      next: null,
    })
  })
})

describe('the home over HTTP', () => {
  it('answers unknown chains and forbidden ones alike, and strangers before either', async () => {
    const world = await testDeployment(['hospital-a', 'hospital-b'])
    const get = async (path: string) => {
      const answer = await world.fetch(new Request(new URL(path, ORIGIN)))
      const { requestId: _, ...body } = (await answer.json()) as Record<string, unknown>
      return { status: answer.status, body }
    }
    expect(await get(`/v1/chains/${'A'.repeat(43)}/head`)).toMatchObject({
      status: 401,
      body: { code: 'UNAUTHORIZED', retryable: false },
    })
    expect(await get('/v1/chains/x/head')).toMatchObject({ status: 400 })
    expect(await get('/nothing')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } })
    const wrongType = await world.fetch(
      new Request(new URL('/v1/blocks', ORIGIN), {
        method: 'POST',
        body: 'x',
        headers: { 'content-type': 'text/plain' },
      }),
    )
    expect(wrongType.status).toBe(415)
    expect(wrongType.headers.get('content-type')).toBe('application/problem+json')
  })

  it('writes log lines with allowed fields only', () => {
    const lines: string[] = []
    const log = jsonLog(
      (line) => lines.push(line),
      () => 0,
    )
    log({ event: 'x', status: 200, ...({ patient: 'Ann Smith' } as object) })
    expect(lines).toEqual(['{"time":"1970-01-01T00:00:00.000Z","event":"x","status":200}'])
  })
})
