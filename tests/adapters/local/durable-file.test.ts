// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import * as fs from 'node:fs'
import { dirname, join } from 'node:path'
import { createFile, replaceFile, type FileSystem } from '#adapters/local/store/durable-file.ts'
import { makeFolder } from './processes.ts'

const STEPS = ['openSync', 'writeFileSync', 'fsyncSync', 'closeSync'] as const

/**
 * The file system as it is, until a call from which on nothing is done any more: what is left is what a process
 * leaves that is killed there.
 */
function killedAt(call: number): { readonly io: FileSystem; readonly trace: string[] } {
  const trace: string[] = []
  const opened = new Map<number, string>()
  const step =
    <A extends unknown[], T>(name: string, act: (...given: A) => T) =>
    (...given: A): T => {
      if (trace.length >= call) throw new Error('killed')
      const at = typeof given[0] === 'number' ? opened.get(given[0]) : String(given[0])
      trace.push(`${name} ${at ?? ''}`)
      const result = act(...given)
      if (name === 'openSync') opened.set(Number(result), String(given[0]))
      return result
    }
  const io = Object.fromEntries(
    [...STEPS, 'linkSync', 'renameSync', 'rmSync'].map((name) => [
      name,
      step(name, fs[name as keyof FileSystem] as (...given: unknown[]) => unknown),
    ]),
  ) as unknown as FileSystem
  return { io, trace }
}

function fileWith(content: string | null): string {
  const file = join(makeFolder(), 'file')
  if (content !== null) fs.writeFileSync(file, content)
  return file
}

describe('a file that is replaced', () => {
  it('is fsynced before it gets its name, and its folder after', () => {
    const { io, trace } = killedAt(Infinity)
    const file = fileWith('old')
    replaceFile(file, 'new', io)
    expect(trace).toEqual([
      ...STEPS.map((name) => `${name} ${file}.new`),
      `renameSync ${file}.new`,
      `openSync ${dirname(file)}`,
      `fsyncSync ${dirname(file)}`,
      `closeSync ${dirname(file)}`,
    ])
  })

  it('holds the old content or the new one, whole, wherever its process is killed', () => {
    const steps = 8
    for (let call = 0; call <= steps; call++) {
      const file = fileWith('old')
      const attempt = () => replaceFile(file, 'new', killedAt(call).io)
      if (call < steps) expect(attempt).toThrow('killed')
      else attempt()
      expect({ call, content: fs.readFileSync(file, 'utf8') }).toEqual({
        call,
        content: call < 5 ? 'old' : 'new',
      })
      // What was left is no hindrance.
      replaceFile(file, 'newer')
      expect(fs.readdirSync(dirname(file))).toEqual(['file'])
      expect(fs.readFileSync(file, 'utf8')).toBe('newer')
    }
  })

  it('is for its owner alone to read', () => {
    const file = fileWith(null)
    replaceFile(file, 'secret')
    if (process.platform !== 'win32') expect(fs.statSync(file).mode & 0o777).toBe(0o600)
  })
})

describe('a file that is created', () => {
  it('is whole or not there, wherever its process is killed, and replaces nothing', () => {
    const steps = 9
    for (let call = 0; call <= steps; call++) {
      const file = fileWith(null)
      const attempt = () => createFile(file, 'new', killedAt(call).io)
      if (call < steps) expect(attempt).toThrow('killed')
      else expect(attempt()).toBe(true)
      expect({ call, there: fs.existsSync(file) }).toEqual({ call, there: call >= 5 })
      expect(createFile(file, 'other')).toBe(call < 5)
      expect(fs.readFileSync(file, 'utf8')).toBe(call < 5 ? 'other' : 'new')
    }
  })
})
