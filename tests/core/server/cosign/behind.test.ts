// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { formatNote, parseNote } from '#core/log/note/note.ts'
import { select } from '#core/ports/needs.ts'
import { createCosigner } from '#core/server/cosign/cosigner.ts'
import { COSIGNER_NEEDS } from '#core/server/cosign/needs.ts'
import { loadTree } from '#core/server/sequence/tree.ts'
import { ORIGIN } from '#tests/deployment.ts'
import { entry, firstRound, HOME, olderCopy, opened, putBack, rowsOf } from './older-copy.ts'
import { witnessedWorld } from './witnessed-world.ts'

describe('a home whose stores are an older copy', () => {
  it('is told so by the first witness that shows what it cosigned, though the others do not answer', async () => {
    const made = await olderCopy(['w1', 'w2', 'w3'], 1)
    for (const url of made.witnesses.slice(1)) made.between.delete(url)
    expect(await firstRound(made)).toMatchObject({ behind: true, ahead: [`${made.witnesses[0]}/witness`] })
  })

  it('stays so when the witness that proved it is silent, and is not when one answers late with what was published', async () => {
    const made = await olderCopy(['w1', 'w2', 'w3'], 2)
    const { base, world, policy, between, witnesses, clock } = made
    const cosigner = createCosigner(await select(base, COSIGNER_NEEDS), world.home, policy)
    for (const url of witnesses.slice(1)) between.delete(url)
    expect(await cosigner.run()).toMatchObject({ behind: true })
    between.clear()
    clock.now += 3_600_000
    expect(await cosigner.run()).toMatchObject({ outcome: 'asked', behind: true })
  })

  it('is not stopped by a witness that refuses, and shows late what was published meanwhile', async () => {
    const made = await witnessedWorld(['w1', 'w2', 'w3'], 2)
    const { world, base, between, witnesses } = made
    const { record } = await createRecord(world.connect('hospital-a'), HOME, ['general'])
    await world.tendLog()
    between.set(witnesses[0] ?? '', async (request) => {
      if (request.method === 'POST') return new Response('', { status: 422 })
      await world.connect('hospital-a').append(record, [entry('news')])
      await world.tendLog()
      return new Response((await base.table('checkpoints').get('log', 'published'))?.value.slice() ?? null)
    })
    expect(await firstRound(made)).toMatchObject({ outcome: 'asked', behind: false })
  })

  it('does not believe one of three that says so and shows nothing, and believes two', async () => {
    const made = await witnessedWorld(['w1', 'w2', 'w3'], 2)
    await made.world.tendLog()
    const lie = async () => new Response('9000\n', { status: 409 })
    const [first = '', second = ''] = made.witnesses
    made.between.set(first, lie)
    expect(await firstRound(made)).toMatchObject({ behind: false, ahead: [`${first}/witness`] })
    made.between.set(second, lie)
    expect(await firstRound(made)).toMatchObject({ behind: true })
  })

  it('believes no larger tree that the log did not sign with all its keys', async () => {
    const made = await olderCopy(['w1', 'w2', 'w3'], 2)
    const [first = ''] = made.witnesses
    const good = made.between.get(first)
    for (const url of made.witnesses.slice(1))
      made.between.set(url, async () => new Response('', { status: 503 }))
    made.between.set(first, async (request) => {
      const response = await good?.(request)
      if (!response || request.method === 'POST') return response ?? new Response('', { status: 503 })
      const { text, signatures } = parseNote(await response.text())
      return new Response(formatNote({ text, signatures: signatures.slice(0, 1) }))
    })
    expect(await firstRound(made)).toMatchObject({ behind: false, ahead: [`${first}/witness`] })
  })

  it('from before the first tree was published asks all the same, and signs no other first tree', async () => {
    const made = await witnessedWorld(['w1', 'w2'], 2)
    const { base, world, between, witnesses } = made
    const { record } = await createRecord(world.connect('hospital-a'), HOME, ['general'])
    const copy = await rowsOf(base, record)
    await world.tendLog()
    await putBack(base, record, copy)
    between.delete(witnesses[0] ?? '')
    const { get, tendLog } = await opened(made)
    expect(await get(`/v1/chains/${record}/head`)).toEqual([500, 'STORE_CORRUPT'])
    await tendLog()
    expect(await loadTree(base.table('checkpoints'))).toBeNull()
  })

  it('that went on from there, so that its log forked, is told so by who cosigned the other history', async () => {
    const made = await olderCopy(['w1', 'w2'], 1)
    const { world, between, witnesses, record } = made
    const there = new Map(between)
    between.clear()
    for (const path of ['tile/entries/000.p/7', 'tile/0/000.p/7']) await made.base.objects('log').shred(path)
    for (let i = 0; i < 3; i++) await world.connect('hospital-a').append(record, [entry(`another ${i}`)])
    await (await opened(made)).tendLog()
    between.set(witnesses[1] ?? '', there.get(witnesses[1] ?? '') ?? fetch)
    expect(await firstRound(made)).toMatchObject({ behind: true, ahead: [] })
  })
})

describe('a home that its witnesses show to be behind', () => {
  it('answers nothing, logs nothing, and says that its log is failing', async () => {
    const made = await olderCopy(['w1', 'w2'], 2)
    const before = fromUtf8((await made.base.table('checkpoints').get('log', 'tree'))?.value ?? utf8(''))
    const { get, tendLog, app } = await opened(made)
    expect(await get(`/v1/chains/${made.record}/head`)).toEqual([500, 'STORE_CORRUPT'])
    expect(await get('/log/checkpoint')).toEqual([500, 'STORE_CORRUPT'])
    expect(await get('/witness/add-checkpoint')).toEqual([500, 'STORE_CORRUPT'])
    expect(await get('/health/live')).toEqual([200, 'none'])
    const ready = await app.fetch(new Request(new URL('/health/ready', ORIGIN)))
    expect(await ready.json()).toMatchObject({ log: 'failing' })
    await tendLog()
    expect(fromUtf8((await made.base.table('checkpoints').get('log', 'tree'))?.value ?? utf8(''))).toBe(
      before,
    )
  })

  it('signs nothing for who only looks either, who can still read and audit it, and nothing is written then', async () => {
    const made = await olderCopy(['w1', 'w2'], 2)
    const before = await rowsOf(made.base, made.record)
    const { get, app } = await opened(made, true)
    expect(await get(`/v1/chains/${made.record}/head`)).toEqual([500, 'STORE_CORRUPT'])
    expect(await get('/v1/lookups/a/b')).toEqual([500, 'STORE_CORRUPT'])
    const checkpoint = await app.fetch(new Request(new URL('/log/checkpoint', ORIGIN)))
    expect(checkpoint.status).toBe(200)
    expect(await get(`/v1/chains/${made.record}/blocks`)).toEqual([401, 'UNAUTHORIZED'])
    expect(await rowsOf(made.base, made.record)).toEqual(before)
  })

  it('answers who only looks where it is not behind, and keeps no cosignature that it was given', async () => {
    const made = await witnessedWorld(['w1', 'w2'], 2)
    const there = new Map(made.between)
    made.between.clear()
    const { record } = await createRecord(made.world.connect('hospital-a'), HOME, ['general'])
    await made.world.tendLog()
    for (const [url, witness] of there) made.between.set(url, witness)
    const before = await rowsOf(made.base, record)
    const { app } = await opened(made, true)
    const answer = await app.fetch(new Request(new URL('/log/checkpoint', ORIGIN)))
    expect(answer.status).toBe(200)
    expect(await rowsOf(made.base, record)).toEqual(before)
  })

  it('is held back by no witness that does not answer, and by none that is behind itself', async () => {
    const made = await witnessedWorld(['w1', 'w2'], 2)
    await made.world.tendLog()
    made.between.delete(made.witnesses[0] ?? '')
    const { get } = await opened(made)
    expect(await get('/v1/registry/head')).not.toEqual([500, 'STORE_CORRUPT'])
  })

  it('gives a witness one time for all that it is asked to cosign, and one to show what it has', async () => {
    const made = await witnessedWorld(['w1'], 1)
    const { world, base, policy, between, witnesses } = made
    await world.tendLog()
    const asked: string[] = []
    between.set(witnesses[0] ?? '', async ({ method }) => {
      asked.push(method)
      return new Response('0\n', { status: asked.length === 1 ? 409 : 422 })
    })
    const given: number[] = []
    const deadline = (ms: number) => {
      given.push(ms)
      return new AbortController().signal
    }
    const ports = await select(base, COSIGNER_NEEDS)
    await createCosigner(ports, world.home, policy, { deadline }).run(2000)
    expect(asked).toEqual(['POST', 'POST', 'GET'])
    expect(given).toEqual([2000, 2000])
  })
})
