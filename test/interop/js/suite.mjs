// Drives the unmodified @azure/arm-apimanagement: creates, reads, changes, lists and deletes resources of many types.
// Arguments: the URL of the management API over TLS and the client's secret. It ends with 0 when everything held.
import assert from "node:assert/strict";
import { ApiManagementClient } from "@azure/arm-apimanagement";
import { ClientSecretCredential } from "@azure/identity";

const [endpoint, secret] = process.argv.slice(2);
const zero = "00000000-0000-0000-0000-000000000000";
const [group, service] = ["causeway", "js-interop"];
const credential = new ClientSecretCredential(zero, "00000000-0000-0000-0000-000000000001", secret, {
  authorityHost: endpoint,
  disableInstanceDiscovery: true,
});
const client = new ApiManagementClient(credential, zero, { endpoint });
const policy = "<policies><inbound><base /></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>";

// Each row: the client, the names, the body, a change, and properties that come back as something else or not at all.
const rows = [
  ["apiVersionSet", ["versions"], { displayName: "Versions", versioningScheme: "Segment", description: "All." }, { description: "None." }],
  ["api", ["echo"], { displayName: "Echo", path: "echo", protocols: ["https"], serviceUrl: "https://echo.example", subscriptionKeyParameterNames: { header: "X-Key", query: "key" } }, { description: "Answers." }],
  ["apiOperation", ["echo", "find"], { displayName: "Find", method: "GET", urlTemplate: "/{id}", templateParameters: [{ name: "id", type: "string", required: true }] }, { displayName: "Search" }],
  ["apiPolicy", ["echo", "policy"], { value: policy }, null, ["value"]],
  ["tag", ["blue"], { displayName: "Blue" }, { displayName: "Bleu" }],
  ["product", ["gold"], { displayName: "Gold", terms: "Pay.", subscriptionRequired: true, approvalRequired: true, state: "published" }, { description: "Best." }],
  ["productApi", ["gold", "echo"]],
  ["group", ["partners"], { displayName: "Partners" }, { description: "Ours." }],
  ["productGroup", ["gold", "partners"]],
  ["user", ["jane"], { email: "jane@example.com", firstName: "Jane", lastName: "Doe" }, { note: "Nice." }],
  ["groupUser", ["partners", "jane"]],
  ["subscription", ["first"], { displayName: "First", scope: "/products/gold", ownerId: "/users/jane" }, { displayName: "The first" }, ["scope", "ownerId"]],
  ["backend", ["web"], { url: "https://web.example", protocol: "http", tls: { validateCertificateChain: false, validateCertificateName: true } }, { title: "Web" }],
  ["namedValue", ["value"], { displayName: "value", value: "x", tags: ["a"] }, { value: "y" }],
  ["logger", ["monitor"], { loggerType: "azureMonitor", isBuffered: true }, { description: "Azure." }],
  ["cache", ["default"], { connectionString: "cache.example:6379", useFromLocation: "default" }, { description: "Redis." }, ["connectionString"]],
  ["gateway", ["edge"], { locationData: { name: "Berlin", city: "Berlin" } }, { description: "Edge." }],
  ["gatewayApi", ["edge", "echo"]],
  ["globalSchema", ["json"], { schemaType: "json", document: { type: "object" } }, null],
  ["policyFragment", ["fragment"], { value: "<fragment />", description: "Nothing." }, null, ["value"]],
  ["authorizationServer", ["server"], { displayName: "Server", clientId: "c", clientSecret: "s", authorizationEndpoint: "https://id.example/a", tokenEndpoint: "https://id.example/t", clientRegistrationEndpoint: "https://id.example/r", grantTypes: ["authorizationCode"] }, { description: "Ours." }, ["clientSecret"]],
  ["identityProvider", ["facebook"], { clientId: "c", clientSecret: "s" }, { clientId: "d" }, ["clientSecret"]],
  ["workspace", ["team"], { displayName: "Team" }, { description: "Ours." }],
  ["workspaceProduct", ["team", "silver"], { displayName: "Silver" }, { description: "Good." }],
];

// subset asserts that everything of want is in got.
function subset(want, got, at) {
  if (want === null || typeof want !== "object") return assert.deepEqual(got, want, at);
  for (const key of Object.keys(want)) subset(want[key], got?.[key], `${at}.${key}`);
}

const first = (c, ...names) => names.find((n) => typeof c[n] === "function");

async function make([kind, names, body, change, hidden = []]) {
  const c = client[kind];
  const create = first(c, "beginCreateOrUpdateAndWait", "createOrUpdate", "create");
  await c[create](group, service, ...names, ...(body ? [body] : []));
  if (!body) return;
  const want = { ...body, ...change };
  if (change) await c[first(c, "beginUpdateAndWait", "update")](group, service, ...names, "*", change);
  hidden.forEach((h) => delete want[h]);
  subset(want, await c.get(group, service, ...names), kind);
  const tag = first(c, "getEntityTag", "getEntityState");
  assert.ok((await c[tag](group, service, ...names)).eTag, `${kind}: no entity tag`);
  const list = first(c, "list", "listByService", "listByWorkspace", "listByApi");
  const listed = [];
  const result = c[list](group, service, ...names.slice(0, -1), { top: 1 });
  if (result[Symbol.asyncIterator]) for await (const item of result) listed.push(item.name);
  else listed.push(...(await result).value.map((item) => item.name));
  assert.ok(listed.includes(names.at(-1)), `${kind}: not in ${listed}`);
}

async function remove([kind, names, body]) {
  const c = client[kind];
  const del = first(c, "beginDeleteAndWait", "delete");
  await c[del](group, service, ...names, ...(body ? ["*"] : []));
  if (body) await assert.rejects(c.get(group, service, ...names), { statusCode: 404, code: "ResourceNotFound" }, kind);
}

await client.apiManagementService.beginCreateOrUpdateAndWait(group, service, {
  location: "westeurope", sku: { name: "Developer", capacity: 1 }, publisherEmail: "a@example.com", publisherName: "A",
});
for (const row of rows) await make(row);
const secrets = await client.subscription.listSecrets(group, service, "first");
assert.ok(secrets.primaryKey && secrets.secondaryKey);
assert.equal((await client.authorizationServer.listSecrets(group, service, "server")).clientSecret, "s");
await assert.rejects(client.product.createOrUpdate(group, service, "bad", { displayName: "x".repeat(400) }), { statusCode: 400, code: "ValidationError" });
for (const row of rows.toReversed()) await remove(row);
await client.apiManagementService.beginDeleteAndWait(group, service);
console.log(`${rows.length} types held`);
