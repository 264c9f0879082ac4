// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { countCalls } from '#adapters/around/counts.ts'
import { openMemory } from '#adapters/memory/open.ts'
import { formatVerifierKey, parseVerifierKey } from '#core/log/note/key.ts'
import { select } from '#core/ports/needs.ts'
import { addLog, keepLogs, listKnownLogs, listLogs } from '#core/server/witness/logs.ts'
import { signerOf } from '#tests/core/log/signers.ts'
import { testLog, type TestLog } from './test-log.ts'
import { testWitness } from './witness.ts'

const known = ({ origin, keys }: TestLog) => ({ origin, keys: keys.map(parseVerifierKey) })

describe('the logs that a witness is told to keep', () => {
  it('are all that it cosigns, and what it cosigned of another stays', async () => {
    const [first, second] = [await testLog(1), await testLog(2)]
    const { ports, ask } = await testWitness(first)
    expect((await ask(0, 5)).status).toBe(200)
    await keepLogs(ports, [known(second)])
    expect((await listLogs(ports)).map(({ origin }) => origin)).toEqual([second.origin])
    expect((await ask(5, 6)).status).toBe(404)
    await keepLogs(ports, [known(first), known(second)])
    // It cannot begin anew.
    expect((await ask(0, 6)).status).toBe(409)
    expect((await ask(5, 6)).status).toBe(200)
    const cosigned = (await listKnownLogs(ports)).find(({ origin }) => origin === first.origin)?.cosigned
    expect(cosigned?.checkpoint.size).toBe(6)
  })

  it('get the keys that are given now, and are only read where nothing is to be changed', async () => {
    const log = await testLog(1)
    const { platform, counts } = countCalls(openMemory())
    const ports = await select(platform, { tables: { witness: 'write' }, objects: {}, keys: {} })
    const replaced = await signerOf(log.origin, 'Ed25519', 9)
    await addLog(ports, log.origin, [formatVerifierKey(replaced.key)])
    await keepLogs(ports, [known(log)])
    expect((await listLogs(ports))[0]?.keys.map(formatVerifierKey)).toEqual(log.keys)
    const before = counts()
    await keepLogs(ports, [known(log)])
    const after = counts()
    expect(after['table.witness.swap']).toBe(before['table.witness.swap'])
    expect(after['table.witness.range']).toBe((before['table.witness.range'] ?? 0) + 1)
  })
})
