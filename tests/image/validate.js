// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// usage: node validate.js FILE...
// Whether lists of packages keep to the schema of CycloneDX 1.5, with the licences' names by SPDX.
'use strict';
const { createRequire } = require('module');
const fs = require('fs');
const here = createRequire(process.cwd() + '/');
const Ajv = here('ajv');
const formats = here('ajv-formats');

const folder = require('path').dirname(here.resolve('@cyclonedx/cyclonedx-library/package.json')) + '/res/schema/';
const read = (file) => JSON.parse(fs.readFileSync(file));

const ajv = new Ajv({ strict: false, allErrors: true });
formats(ajv);
// Formats of ajv-formats-draft2019: no field that we write has them.
ajv.addFormat('idn-email', true);
ajv.addFormat('iri-reference', true);
for (const name of ['spdx.SNAPSHOT.schema.json', 'jsf-0.82.SNAPSHOT.schema.json'])
	ajv.addSchema(read(folder + name), 'http://cyclonedx.org/schema/' + name);
const keepsTo = ajv.compile(read(folder + 'bom-1.5.SNAPSHOT.schema.json'));

for (const file of process.argv.slice(2)) {
	if (keepsTo(read(file)))
		continue;
	for (const error of keepsTo.errors.slice(0, 5))
		console.error(`${file}: ${error.instancePath} ${error.message}`);
	process.exitCode = 1;
}
