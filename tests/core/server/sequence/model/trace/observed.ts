// SPDX-License-Identifier: Apache-2.0
import type { ObjectsName, Platform, TableName } from '#core/ports/needs.ts'
import type { ShredObjects } from '#core/ports/objects.ts'
import type { WriteTable } from '#core/ports/table.ts'

/** One call of a port as it was carried out: whose, of what, and what came of it. */
export interface Call {
  readonly actor: number
  /** For example `dirty.insert`, `staging.store`. */
  readonly name: string
  readonly args: readonly unknown[]
  readonly result: unknown
}

/** What happens to the calls of a process. */
export interface Fate {
  /** Asked before each call: whether the process ends before it or after it. */
  readonly next: (name: string) => 'before' | 'after' | null
  /** True once it has ended: nothing that it calls afterwards is carried out. */
  isDead: boolean
}

const TABLES: readonly TableName[] = ['dirty', 'blocks', 'leaves', 'checkpoints']
const OBJECTS: readonly ObjectsName[] = ['staging', 'log']

/** A platform that tells each call of an actor when it is carried out, and ends its process where its fate says. */
export function observed(
  platform: Platform,
  actor: number,
  fate: Fate,
  tell: (call: Call) => void,
): Platform {
  const run = async <T>(name: string, args: readonly unknown[], act: () => Promise<T>): Promise<T> => {
    if (fate.isDead) throw new Error('the process has ended')
    const end = fate.next(name)
    if (end === 'before') fate.isDead = true
    if (end === 'before') throw new Error('the process ends')
    const result = await act()
    tell({ actor, name, args, result })
    if (end === 'after') fate.isDead = true
    if (end === 'after') throw new Error('the process ends')
    return result
  }
  const table = (name: TableName): WriteTable => {
    const own = platform.table(name)
    if (!TABLES.includes(name)) return own
    return {
      get: (...args) => run(`${name}.get`, args, () => own.get(...args)),
      range: (...args) => run(`${name}.range`, args, () => own.range(...args)),
      insert: (...args) => run(`${name}.insert`, args, () => own.insert(...args)),
      swap: (...args) => run(`${name}.swap`, args, () => own.swap(...args)),
    }
  }
  const objects = (name: ObjectsName): ShredObjects => {
    const own = platform.objects(name)
    if (!OBJECTS.includes(name)) return own
    return {
      fetch: (...args) => run(`${name}.fetch`, args, () => own.fetch(...args)),
      store: (...args) => run(`${name}.store`, args, () => own.store(...args)),
      shred: (...args) => run(`${name}.shred`, args, () => own.shred(...args)),
    }
  }
  return { ...platform, table, objects }
}
