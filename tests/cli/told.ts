// SPDX-License-Identifier: Apache-2.0
import { expect } from '@jest/globals'
import { CATALOGUE } from '#cli/catalogue/all.ts'
import { jsonOf, run, type Ended } from './harness.ts'

const SPECS = CATALOGUE.flatMap((group) => group.commands)

/** Runs a command with --json, and holds what it prints to what its help says of it. */
export async function told(
  folder: string,
  ...args: string[]
): Promise<Record<string, unknown> & { readonly exit: number }> {
  const ended = await run([...args, '--json', '--data', folder])
  const said = jsonOf(ended)
  const spec = SPECS.find(({ name }) => `${args.join(' ')} `.startsWith(`${name} `))
  if (said['code'] === undefined) {
    expect({ args, undocumented: Object.keys(said).filter((key) => !(key in (spec?.json ?? {}))) }).toEqual({
      args,
      undocumented: [],
    })
  }
  return { ...said, exit: ended.code }
}

/** Runs a command as people read it. */
export const lines = (folder: string, ...args: string[]): Promise<Ended> => run([...args, '--data', folder])
