// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { openMemory } from '#adapters/memory/open.ts'
import { objectsContract } from './objects-contract.ts'
import { tableContract, type Subject } from './table-contract.ts'

const memory = async (): Promise<Subject> => ({
  platform: openMemory(),
  reopen: { skipped: 'memory is gone with its process, as it says' },
})

const local = async (): Promise<Subject> => {
  const folder = mkdtempSync(join(tmpdir(), 'ampere-contract-'))
  const open = () => openLocal({ folder, passphrase: 'test' })
  return { platform: open(), reopen: async () => open() }
}

tableContract('memory', memory)
objectsContract('memory', memory)
tableContract('local', local)
objectsContract('local', local)
