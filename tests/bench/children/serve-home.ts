// SPDX-License-Identifier: Apache-2.0
// Run by append.ts: serves a home from a data folder over HTTP, and answers with its CPU time when it is asked.
import { listen } from '#functions/host/node.ts'
import { durableDeployment } from '../worlds/durable.ts'

const [folder = ''] = process.argv.slice(2)
const world = await durableDeployment(folder)
const server = await listen(world.fetch, 18_310, true)
process.on('message', (message) => {
  if (message === 'cpu') {
    const { user, system } = process.cpuUsage()
    process.send?.({ cpuMs: (user + system) / 1000 })
  } else {
    void server
      .close()
      .then(() => world.platform.close())
      .then(() => process.disconnect())
  }
})
process.send?.({ port: server.port })
