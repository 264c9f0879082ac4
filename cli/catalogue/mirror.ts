// SPDX-License-Identifier: Apache-2.0
import type { CommandGroup } from '../program/command.ts'

export const MIRROR: CommandGroup = {
  title: 'Mirrors',
  commands: [
    {
      name: 'mirror add',
      summary: 'Keep a sealed copy of what another home grants an institution of this computer to hold',
      about:
        'The running server copies every minute, verifies all that it copies, and opens nothing. The institution must be in the registry of that home, with an active app instance whose key is here.',
      args: [{ name: 'origin', about: 'of the home, for example https://home.example' }],
      flags: [
        { flags: '--registry <id>', about: 'the registry of that home (default: that of the data folder)' },
        {
          flags: '--policy <file>',
          about: 'a file with the lines for its log, from its operator (tlog-policy)',
        },
      ],
      acts: true,
      examples: [
        {
          does: 'mirror a home',
          run: 'npx ampere mirror add https://home.example --policy home-log.txt --as hospital-b',
        },
      ],
      json: {
        ok: 'true',
        deployment: 'id of that home',
        origin: 'where it is',
        registry: 'its registry',
        log: 'keys of its log',
        institution: 'who holds',
      },
      load: async () => (await import('../commands/mirror/add.ts')).addMirrored,
    },
    {
      name: 'mirror status',
      summary: 'List the homes that are mirrored here, and what came of the last run',
      examples: [{ does: 'is the copy whole?', run: 'npx ampere mirror status' }],
      json: {
        ok: 'false when a home was never copied, or something is wrong in it',
        homes: 'deployment, origin, institution and last (time, chains, logSize, problems, or null) of each',
      },
      exits: { 3: 'a home was never copied, or has lost something' },
      load: async () => (await import('../commands/mirror/status.ts')).mirrorStatus,
    },
    {
      name: 'mirror restore',
      summary: 'Restore the lost home of this data folder from a mirror',
      about:
        "Needs the home's key file, settings and passphrase, and institutions/, from their own backup. All is verified before it is stored, erasures are carried out again, and the log goes on where it was. A server gives the copy to the institution of the home alone. What was interrupted is gone on with.",
      args: [
        { name: 'source', about: 'URL of the server of the mirror, or its data folder, or a copy of that' },
      ],
      flags: [
        { flags: '--accept-loss', about: 'go on without what is known to be lost, and name it' },
        { flags: '--without-witness', about: 'go on although a witness of the policy does not answer' },
      ],
      acts: true,
      examples: [
        { does: 'from its server', run: 'npx ampere mirror restore https://mirror.example' },
        { does: 'from its folder', run: 'npx ampere mirror restore /mnt/mirror --data /srv/ampere' },
      ],
      json: {
        ok: 'true',
        chains: 'how many were restored',
        blocks: 'how many are in them',
        erasures: 'how many were carried out again',
        logSize: 'entries of the log, which goes on after them',
        logSignedAt: 'when the log signed the newest of them, by its own keys',
        unexplained: 'how many of these are of chains that the mirror does not hold',
        losses: 'chain, height and rule of what is known to be lost',
        notHeld: 'chains that institutions of this folder saw, and that the mirror does not have',
        since:
          'what was acknowledged after this time, of which the mirror says that it copied last, may be lost',
      },
      exits: { 3: 'something is not as it was signed, or is lost' },
      load: async () => (await import('../commands/mirror/restore.ts')).restoreFromMirror,
    },
  ],
}
