// SPDX-License-Identifier: Apache-2.0
import { parsePort } from '../../program/arguments.ts'
import type { CommandGroup } from '../../program/command.ts'
import { HOME_FLAG } from '../cloud-flags.ts'

export const HOMES: CommandGroup = {
  title: 'Homes of one registry',
  commands: [
    {
      name: 'home join',
      summary: 'Set up a second home here, of a registry that is at home elsewhere',
      about:
        'Verifies the registry from its first block against the id that you give, makes the keys of the new home, and has the institution, an active member, enter it in the registry. Its key file is copied from the data folder that has it, with the same passphrase. From the next start on the home follows the registry, logs it, and refuses what it revokes. Nothing is overwritten; interrupted, the same command goes on.',
      args: [{ name: 'origin', about: 'of the home of the registry, for example https://home.example' }],
      flags: [
        { flags: '--registry <id>', about: 'id of the registry, as its members say it' },
        { flags: '--from <folder>', about: "the data folder that has the institution's keys" },
        {
          flags: '--port <port>',
          about: 'port on 127.0.0.1 (default: 7310, else the next free one), for ever',
          parse: parsePort,
        },
      ],
      acts: true,
      examples: [
        {
          does: 'a home of hospital-b beside that of hospital-a',
          run: 'npx ampere home join https://home.example --registry ID --from /srv/b-keys --as hospital-b --data /srv/b-home',
        },
      ],
      json: {
        ok: 'true',
        folder: 'the data folder',
        origin: 'where it will be served',
        registry: 'id of the registry',
        deployment: 'id of this home in it',
        institution: 'whose home it is',
        home: 'where the registry is at home',
      },
      load: async () => (await import('../../commands/home/join.ts')).joinHomeOfRegistry,
    },
    {
      name: 'home status',
      summary: 'Say how this home stands to its registry',
      about:
        'home: the registry is at home here. followed: what its home showed within 300 s is here. unseen (exit code 1): its home was not seen for longer. forked (exit code 3): it was shown with two histories. Also how many revocations were shown here and are not in the registry after 60 s.',
      flags: [HOME_FLAG],
      examples: [{ does: 'look', run: 'npx ampere home status' }],
      json: {
        ok: 'true for home and followed',
        deployment: 'id of this home',
        origin: 'where it is',
        registry: 'id of the registry',
        standing: 'home, followed, unseen, forked or unknown',
        home: 'where the registry is at home, or null',
        seen: 'when that was seen last, or null',
        overdue: 'revocations that the registry owes',
      },
      load: async () => (await import('../../commands/home/status.ts')).homeStatus,
    },
    {
      name: 'home follow',
      summary: 'Follow the registry once from another origin, after it moved from a home that is gone',
      about:
        'A registry says itself where it is at home; where its old home is gone, the block that says so is only at the new one. Every block is verified as always. No server may run.',
      args: [
        { name: 'origin', about: 'of a home that has the registry, for example https://new-home.example' },
      ],
      flags: [
        {
          flags: '--anew',
          about:
            'after a fork that is settled, where this home has the history that is right: forget the other block',
        },
      ],
      examples: [{ does: 'learn that it moved', run: 'npx ampere home follow https://new-home.example' }],
      json: {
        ok: 'false where the registry was shown with two histories',
        outcome: 'home, followed or forked',
        added: 'blocks that were taken',
        more: 'true where there are more',
      },
      load: async () => (await import('../../commands/home/follow.ts')).followFrom,
    },
  ],
}
