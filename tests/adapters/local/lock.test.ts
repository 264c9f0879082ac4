// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { lockFolder } from '#adapters/local/store/lock.ts'
import { makeDataFolder, run } from './processes.ts'

const locked = (message: string) => expect.objectContaining({ code: 'STORE_LOCKED', message })
const holdOpen = (folder: string) => `
  import { openLocal } from '#adapters/local/open.ts'
  const platform = openLocal({ folder: ${JSON.stringify(folder)}, passphrase: 'test' })
  console.log('open')
  setInterval(() => platform, 1000)`

describe('a data folder', () => {
  it('belongs to one process at a time, which the message names, and is free when that is killed', async () => {
    const folder = makeDataFolder()
    const other = run(holdOpen(folder))
    expect(await other.printed(1)).toEqual(['open'])
    const open = () => openLocal({ folder, passphrase: 'test' })
    expect(open).toThrow(locked(`the data folder is in use by process ${other.pid}`))
    other.kill()
    await other.ended
    await open().close()
  })

  it('is not opened twice by one process', async () => {
    const folder = makeDataFolder()
    const platform = openLocal({ folder, passphrase: 'test' })
    const open = () => openLocal({ folder, passphrase: 'test' })
    expect(open).toThrow(locked('the data folder is open in this process already'))
    await platform.close()
    await platform.close()
    await open().close()
  })

  it('is not barred by a process id that another process has been given since', () => {
    const folder = makeDataFolder()
    writeFileSync(join(folder, 'lock'), String(process.ppid))
    const unlock = lockFolder(folder)
    expect(readFileSync(join(folder, 'lock'), 'utf8')).toBe(String(process.pid))
    unlock()
  })

  it('stays taken when nothing in the program refers to the lock any more', async () => {
    const folder = makeDataFolder()
    const forgetful = run(
      `
      import { lockFolder } from '#adapters/local/store/lock.ts'
      lockFolder(${JSON.stringify(folder)})
      for (let i = 0; i < 3; i++) { globalThis.gc(); await new Promise(setImmediate) }
      console.log('collected')
      setInterval(() => {}, 1000)`,
      { flags: ['--expose-gc'] },
    )
    expect(await forgetful.printed(1)).toEqual(['collected'])
    expect(() => lockFolder(folder)).toThrow(locked(`the data folder is in use by process ${forgetful.pid}`))
    forgetful.kill()
    await forgetful.ended
  })

  it('is held by one process at a time while many take it, give it back and are killed holding it', async () => {
    const folder = makeDataFolder()
    const taker = (seed: number) => `
      import { closeSync, openSync, rmSync } from 'node:fs'
      import { lockFolder } from '#adapters/local/store/lock.ts'
      const folder = ${JSON.stringify(folder)}
      let random = ${seed}
      const next = (n) => (random = (random * 48271) % 2147483647) % n
      for (let taken = 0; taken < 60;) {
        let unlock
        try { unlock = lockFolder(folder) } catch (error) {
          if (error.code !== 'STORE_LOCKED') { console.log('ERROR ' + error.code); break }
          continue
        }
        // Made by whoever is alone, and only then: two at once find each other's.
        try { closeSync(openSync(folder + '/alone', 'wx')) } catch { console.log('VIOLATION') }
        for (let spin = next(20000); spin > 0; spin--);
        rmSync(folder + '/alone', { force: true })
        taken++
        if (taken > 15 && next(15) === 0) { console.log('killed ' + taken); process.kill(process.pid, 'SIGKILL') }
        unlock()
      }
      console.log('done')`
    const ends: string[] = []
    const keepTaking = async (seed: number) => {
      for (let life = 0; life < 4; life++) ends.push(...(await run(taker(seed + life)).ended))
    }
    await Promise.all([1, 100, 10_000].map(keepTaking))
    expect(ends.filter((line) => !/^(done|killed \d+)$/.test(line))).toEqual([])
    expect(ends.filter((line) => line.startsWith('killed')).length).toBeGreaterThan(3)
    expect(ends).toHaveLength(12)
    lockFolder(folder)()
  }, 20_000)
})

describe('two processes on one data folder, one beside the other', () => {
  it('both write, lose nothing, and let one of them win each row', async () => {
    const folder = makeDataFolder()
    const platform = openLocal({ folder, passphrase: 'test' })
    const other = run(`
      import { openLocal } from '#adapters/local/open.ts'
      const platform = openLocal({ folder: ${JSON.stringify(folder)}, passphrase: 'test', beside: true })
      const table = platform.table('blocks')
      const outcomes = []
      console.log('ready')
      for (let i = 0; i < 200; i++) {
        await table.insert('other', String(i), new Uint8Array(100))
        outcomes.push(await table.insert('both', String(i), Uint8Array.of(2)))
      }
      console.log(JSON.stringify(outcomes))
      await platform.close()`)
    await other.printed(1)
    const table = platform.table('blocks')
    const ours: string[] = []
    for (let i = 0; i < 200; i++) {
      await table.insert('ours', String(i), new Uint8Array(100))
      ours.push(await table.insert('both', String(i), Uint8Array.of(1)))
    }
    const theirs = JSON.parse((await other.ended)[1] ?? '[]') as string[]
    expect(theirs).toHaveLength(200)
    for (let i = 0; i < 200; i++) {
      expect(new Set([ours[i], theirs[i]])).toEqual(new Set(['exists', 'inserted']))
      const row = await table.get('both', String(i))
      expect(row?.value[0]).toBe(ours[i] === 'inserted' ? 1 : 2)
    }
    expect(await table.range('other')).toHaveLength(200)
    expect(await table.range('ours')).toHaveLength(200)
    await platform.close()
  })
})
