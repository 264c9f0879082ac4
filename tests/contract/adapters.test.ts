// SPDX-License-Identifier: Apache-2.0
import { openLocal } from '#adapters/local/open.ts'
import { openMemory } from '#adapters/memory/open.ts'
import { makeDataFolder } from '#tests/adapters/local/processes.ts'
import { everyContract } from './contracts.ts'

everyContract({
  name: 'memory',
  uploads: true,
  skips: { reopen: 'memory is gone with its process, as it says' },
  open: async () => ({ platform: openMemory(), reopen: async () => openMemory() }),
})

everyContract({
  name: 'local',
  uploads: true,
  skips: {},
  open: async () => {
    const folder = makeDataFolder()
    const open = () => openLocal({ folder, passphrase: 'test' })
    return { platform: open(), reopen: async () => open() }
  },
})
