// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs'
import * as v from 'valibot'
import { AmpereError } from '#core/errors.ts'

/** A file of JSON as a schema has it; null where there is none. @throws AmpereError STORE_CORRUPT */
export function readAs<S extends v.GenericSchema>(file: string, form: S): v.InferOutput<S> | null {
  if (!existsSync(file)) return null
  try {
    return v.parse(form, JSON.parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', `${file} is damaged`, { cause })
  }
}
