// Compiles the contracts of folders, or of its own: node stablecoin/contracts/compile.cjs [FOLDER...]
// Writes build/contracts/NAME.json with the ABI and the bytecode of each.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const solc = require("solc");

const root = path.resolve(__dirname, "..", "..");
const given = process.argv.slice(2);
const folders = given.length > 0 ? given : [__dirname];
const target = path.join(root, "build", "contracts");
const files = folders.flatMap((folder) =>
  fs.readdirSync(folder).filter((name) => name.endsWith(".sol")).map((name) => path.join(folder, name)),
);

const input = {
  language: "Solidity",
  sources: Object.fromEntries(files.map((file) => [path.basename(file), { content: fs.readFileSync(file, "utf8") }])),
  settings: {
    optimizer: { enabled: true, runs: 1000 },
    viaIR: true,
    evmVersion: "cancun",
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
  },
};

const readImport = (name) => {
  const file = path.join(root, "node_modules", name);
  return fs.existsSync(file) ? { contents: fs.readFileSync(file, "utf8") } : { error: `${name} is not installed` };
};

const output = JSON.parse(solc.compile(JSON.stringify(input), { import: readImport }));
for (const problem of output.errors ?? []) {
  console.error(problem.formattedMessage);
}
if ((output.errors ?? []).some((problem) => problem.severity === "error")) {
  process.exit(1);
}

fs.mkdirSync(target, { recursive: true });
for (const file of files) {
  const name = path.basename(file, ".sol");
  const { abi, evm } = output.contracts[path.basename(file)][name];
  const artifact = { name, abi, bytecode: `0x${evm.bytecode.object}` };
  // Whoever reads it while it is written must not see half of it.
  const temporary = path.join(target, `.${name}.json`);
  fs.writeFileSync(temporary, `${JSON.stringify(artifact, null, 1)}\n`);
  fs.renameSync(temporary, path.join(target, `${name}.json`));
}
