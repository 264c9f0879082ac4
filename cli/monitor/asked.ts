// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import type { Monitors } from '#core/client/client.ts'
import { refuse } from '../program/refuse.ts'
import { readInput } from '../terminal/files.ts'

/** The file of a data folder that says which monitors are asked whether records are complete. */
export function monitorsFile(folder: string): string {
  return join(folder, 'monitors.json')
}

const MAX_BYTES = 64 * 1024

const isOrigin = (text: string) => URL.canParse(text) && new URL(text).origin === text

const monitorsSchema = v.pipe(
  v.strictObject({
    origins: v.pipe(v.array(v.pipe(v.string(), v.check(isOrigin))), v.minLength(1)),
    need: v.pipe(v.number(), v.integer(), v.minValue(1)),
  }),
  v.check(({ origins, need }) => need <= new Set(origins).size),
)

/** The monitors that this folder pins; null where it pins none. @throws AmpereError CONFIGURATION */
export function pinnedMonitors(folder: string): Monitors | null {
  const file = monitorsFile(folder)
  return existsSync(file) ? readMonitors(file) : null
}

/** The monitors in a file of that form. @throws AmpereError CONFIGURATION, and as `readInput` */
export function readMonitors(file: string): Monitors {
  const text = new TextDecoder().decode(readInput(file, MAX_BYTES, 'it is no list of monitors'))
  try {
    return v.parse(monitorsSchema, JSON.parse(text))
  } catch (cause) {
    const message = `${file} is not {"origins": [ORIGIN, ...], "need": HOW MANY}, with need from 1 to the number of origins`
    throw refuse('CONFIGURATION', message, 'correct it, or leave it out: then nobody is asked', cause)
  }
}
