// SPDX-License-Identifier: Apache-2.0
import { usage } from '../program/refuse.ts'
import type { Screen } from './screen.ts'

/** Flags of acts that cannot be undone. */
export interface GraveOptions {
  /** The name of what is acted on, instead of typing it when asked. */
  readonly confirm?: string
  readonly dryRun?: boolean
}

/**
 * Says what would happen and lets the person type the name of what it happens to.
 * `isName` judges what was typed; by default it must be `name`.
 * @returns false with --dry-run: nothing is to be done
 * @throws CommanderError (usage) for another name, and when there is nobody to ask
 */
export async function confirmGrave(
  screen: Screen,
  options: GraveOptions,
  act: {
    readonly says: readonly string[]
    readonly name: string
    readonly isName?: (typed: string) => boolean
  },
): Promise<boolean> {
  const isName = act.isName ?? ((typed: string) => typed === act.name)
  for (const line of act.says) screen.say(line)
  if (options.dryRun === true) return false
  if (options.confirm === undefined) {
    await screen.ask({
      message: `Type ${act.name} to continue`,
      flag: `--confirm ${act.name}`,
      check: (typed) => (isName(typed.trim()) ? undefined : `That is not ${act.name}. Ctrl+C stops.`),
    })
    return true
  }
  if (isName(options.confirm)) return true
  throw usage(`--confirm names something else than ${act.name}; nothing was changed`)
}
