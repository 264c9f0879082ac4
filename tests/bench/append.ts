// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { utf8 } from '#core/bytes/encoding.ts'
import { concat } from '#core/bytes/frame.ts'
import { decodeAppend } from '#core/api/append.ts'
import { parseBlock } from '#core/block/open-block.ts'
import type { PublicJwk } from '#core/ports/keys.ts'
import {
  cpuMicros,
  figure,
  median,
  perSecond,
  ratios,
  ROUNDS,
  time,
  type Bench,
  type Result,
  type Sample,
} from './measure.ts'
import { inFolder } from './worlds/durable.ts'
import { packBodies, prepareClients, type Bodies } from './worlds/many-clients.ts'
import { startChild, type Child } from './worlds/processes.ts'
import { verifyAll } from './worlds/raw-signatures.ts'

const CLIENTS = 64
/** Blocks of each client in a round. */
const EACH = 16
const BYTES = 1500
const BLOCKS = CLIENTS * EACH

export const bench: Bench = {
  question: 'How many durable blocks per second does a home take over HTTP from 64 clients?',
  run: () =>
    inFolder(async (folder) => {
      const { chains, signer, sealing } = await prepareClients(folder, {
        clients: CLIENTS,
        each: EACH,
        rounds: ROUNDS,
        bytes: BYTES,
      })
      const file = join(folder, 'appends.bin')
      writeFileSync(file, packBodies(chains))
      const home = await startChild<{ port: number; cpuMs: number }>('serve-home.ts', [folder])
      const sender = await startChild<Sent>('send-appends.ts', [file, String(home.ready.port)])
      await sender.ask({ each: EACH })
      const floors = openFloors(folder, chains, signer)
      const rounds: Round[] = []
      for (let round = 0; round < ROUNDS; round++) {
        const before = await cpuOf(home)
        const sent = await sender.ask({ each: EACH })
        const homeCpuMs = (await cpuOf(home)) - before
        const [inserted, verified] = [await time(floors.insert), await time(floors.verify)]
        rounds.push({ sent, home: { wallMs: sent.wallMs, cpuMs: homeCpuMs }, inserted, verified })
      }
      await sender.end()
      await home.end()
      floors.close()
      return resultOf(rounds, sealing)
    }),
}

/** What the sender measured of a round; a latency is one block's, from its request to its answer. */
interface Sent extends Sample {
  readonly latencies: readonly number[]
}

interface Round {
  readonly sent: Sent
  readonly home: Sample
  readonly inserted: Sample
  readonly verified: Sample
}

/** What storing and judging rest on, on the same bytes and by nothing of ours. */
function openFloors(folder: string, chains: readonly Bodies[], signer: PublicJwk) {
  const appends = chains.flatMap((bodies) => bodies.slice(0, EACH).map(decodeAppend))
  const stored = appends.map(({ block, row, object }) =>
    concat(utf8(block), utf8(row ?? ''), object ?? new Uint8Array(0)),
  )
  const signatures = appends.map(({ block }) => parseBlock(block).jws)
  const db = new DatabaseSync(join(folder, 'floor.db'))
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  db.exec('CREATE TABLE rows (key INTEGER PRIMARY KEY, value BLOB NOT NULL)')
  const insert = db.prepare('INSERT INTO rows (value) VALUES (?)')
  return {
    /** One transaction for as many blocks as there are clients, each block one row. */
    insert: async () => {
      for (let at = 0; at < stored.length; at += CLIENTS) {
        db.exec('BEGIN IMMEDIATE')
        for (const value of stored.slice(at, at + CLIENTS)) insert.run(value)
        db.exec('COMMIT')
      }
    },
    verify: () => verifyAll(signer, signatures),
    close: () => db.close(),
  }
}

async function cpuOf(home: Child<{ cpuMs: number }>): Promise<number> {
  return (await home.ask('cpu')).cpuMs
}

function resultOf(rounds: readonly Round[], sealing: readonly Sample[]): Result {
  const samples = (of: (round: Round) => Sample) => rounds.map(of)
  const rate = (of: (round: Round) => Sample) => perSecond(BLOCKS, samples(of))
  const sent = rate((round) => round.sent)
  return {
    sizes: `${CLIENTS} clients with a chain each, one entry of ${BYTES} bytes per block, ${EACH} blocks per client and round, ${ROUNDS} rounds; home and clients are two processes on this machine, connections stay open, SQLite with synchronous=FULL`,
    figures: [
      figure('appended over HTTP, durable', 'blocks/s', sent, { atLeast: 1000 }),
      figure(
        'floor: raw durable inserts, 64 a transaction',
        'rows/s',
        rate((round) => round.inserted),
      ),
      figure(
        'ratio to raw durable inserts',
        '',
        ratios(
          sent,
          rate((round) => round.inserted),
        ),
      ),
      figure(
        'floor: raw verification, 64 in flight',
        'blocks/s',
        rate((round) => round.verified),
      ),
      figure(
        'ratio to raw verification',
        '',
        ratios(
          sent,
          rate((round) => round.verified),
        ),
      ),
      figure(
        'latency, median of a round',
        'ms',
        rounds.map(({ sent: { latencies } }) => median(latencies)),
      ),
      figure(
        'CPU per block at the home',
        'us',
        cpuMicros(
          BLOCKS,
          samples((round) => round.home),
        ),
      ),
      figure(
        'CPU per block at the sender',
        'us',
        cpuMicros(
          BLOCKS,
          samples((round) => round.sent),
        ),
      ),
      figure('the clients alone, sealing and signing', 'blocks/s', perSecond(BLOCKS, sealing)),
      figure('CPU per block at the clients', 'us', cpuMicros(BLOCKS, sealing)),
    ],
    doesNotShow:
      'clients that seal while the home works, on the same two cores; networks; conflicts on one chain; a disk that is slower than this one at fsync.',
  }
}
