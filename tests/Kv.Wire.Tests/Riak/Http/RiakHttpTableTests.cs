using System.Text;
using Kv.TestKit;
using Xunit;

namespace Kv.Wire.Tests.Riak.Http;

/// <summary>
/// One request and its whole answer a row: status, headers (`Name: value`, `Name: *` for any, `!Name` for none), body. `@` in a path is a key of the row's own.
/// </summary>
public sealed class RiakHttpTableTests(RiakServer server) : IClassFixture<RiakServer>
{
    private const string Quorum = " query parameter must be an integer or one of the following words: 'one', 'quorum' or 'all'\n";
    private const string Text = "Content-Type: text/plain";
    private const string Json = "Content-Type: application/json";
    private const string Plain = "/buckets/seed/keys/plain";
    private const string One = "/types/siblings/buckets/seed/keys/one";
    private const string Two = "/types/siblings/buckets/seed/keys/two";
    private const string Unlinked = "Invalid Link header. Links must be of the form\n</buckets/BUCKET/keys/KEY>; riaktag=\"TAG\"\nor </riak/BUCKET/KEY>; riaktag=\"TAG\"\n";
    private const string BadProps = "bucket PUT must be a JSON object of the form:\n{\"props\":{...}}\n";
    private const string Failed = "a condition of the request does not hold for the stored object\n";
    private const string NValFixed = "{\"n_val\":\"n_val cannot be modified for a bucket, which has its type's; use a bucket type with another one\"}";
    private const string NValText = "Specified w/dw/pw/node_confirms values invalid for bucket n value of 3\n";

    public static TheoryData<string, string, string?, int, string, string?> Reads => new()
    {
        { "GET " + Plain, "", null, 200, "Content-Type: text/plain\nX-Riak-Vclock: {vclock:plain}\nETag: {etag:plain}\nLast-Modified: {modified:plain}\nLink: </buckets/seed>; rel=\"up\"\nVary: Accept-Encoding\nContent-Length: 5\n!X-Riak-Deleted", "hello" },
        { "GET /riak/seed/plain", "", null, 200, "Link: </riak/seed>; rel=\"up\"", "hello" },
        { "GET /types/default/buckets/seed/keys/plain", "", null, 200, "Link: </buckets/seed>; rel=\"up\"", "hello" },
        { "GET //buckets///seed/keys/plain/", "", null, 200, "", "hello" },
        { "GET /buckets/%73eed/keys/pl%61in", "", null, 200, "", "hello" },
        { "HEAD " + Plain, "", null, 200, "Content-Length: 5\nETag: {etag:plain}\nX-Riak-Vclock: {vclock:plain}", "" },
        { "GET /buckets/seed/keys/empty", "", null, 200, "Content-Length: 0", "" },
        { "GET /buckets/seed/keys/json", "", null, 200, "Content-Type: application/json; charset=utf-8", "{}" },
        { "GET " + One, "", null, 200, "ETag: {etag:one}\nLink: </buckets/seed>; rel=\"up\"", "single" },
        { "GET /buckets/seed/keys/meta", "", null, 200, "Content-Encoding: gzip\nX-Riak-Meta-Color: blue\nx-riak-index-age_int: 7, 8\nx-riak-index-name_bin: ada\nLink: </buckets/seed>; rel=\"up\", </buckets/b2/keys/k%202>; riaktag=\"friend\"", "meta" },
        { "GET /riak/seed/meta", "", null, 200, "Link: </riak/seed>; rel=\"up\", </riak/b2/k%202>; riaktag=\"friend\"", "meta" },
        { "GET /buckets/seed/keys/none", "", null, 404, "Content-Type: text/plain\n!X-Riak-Vclock\n!X-Riak-Deleted", "not found\n" },
        { "HEAD /buckets/seed/keys/none", "", null, 404, "", "" },
        { "GET /types/keeps/buckets/seed/keys/gone", "", null, 404, "X-Riak-Deleted: true\nX-Riak-Vclock: *", "not found\n" },
        { "GET /types/nosuch/buckets/seed/keys/plain", "", null, 404, "", "Unknown bucket type: nosuch\n" },
        { "GET /types/sleeping/buckets/seed/keys/plain", "", null, 404, "", "Unknown bucket type: sleeping\n" },
        { "GET " + Plain + "?r=1&pr=one&basic_quorum=true&notfound_ok=false&node_confirms=0&timeout=1000", "", null, 200, "", "hello" },
        { "GET " + Plain + "?r=quorum&pr=all", "", null, 200, "", "hello" },
        { "GET " + Plain + "?r=default", "", null, 200, "", "hello" },
        { "GET " + Plain + "?r=many", "", null, 400, "Content-Type: text/plain", "r" + Quorum },
        { "GET " + Plain + "?r=-1", "", null, 400, "", "r" + Quorum },
        { "GET " + Plain + "?r=", "", null, 400, "", "r" + Quorum },
        { "GET " + Plain + "?pr=x", "", null, 400, "", "pr" + Quorum },
        { "GET " + Plain + "?node_confirms=x", "", null, 400, "", "node_confirms" + Quorum },
        { "GET " + Plain + "?r=4", "", null, 400, "", NValText },
        { "GET " + Plain + "?pr=4", "", null, 400, "", NValText },
        { "GET " + Plain + "?basic_quorum=yes", "", null, 400, "", "basic_quorum query parameter must be true or false\n" },
        { "GET " + Plain + "?notfound_ok=1", "", null, 400, "", "notfound_ok query parameter must be true or false\n" },
        { "GET " + Plain + "?timeout=soon", "", null, 400, "", "Bad timeout value \"soon\"\n" },
        { "GET " + Plain + "?timeout=-5", "", null, 400, "", "Bad timeout value \"-5\"\n" },
        { "GET " + Plain + "?timeout=", "", null, 400, "", "Bad timeout value \"\"\n" },
        { "GET " + Plain + "?timeout=0", "", null, 200, "", "hello" },
        { "GET " + Plain + "?timeout=99999999999999999999", "", null, 200, "", "hello" },
        { "GET " + Plain, "If-None-Match: {etag:plain}", null, 304, "ETag: {etag:plain}\nX-Riak-Vclock: {vclock:plain}", "" },
        { "GET " + Plain, "If-None-Match: \"x\", {etag:plain}", null, 304, "", "" },
        { "GET " + Plain, "If-None-Match: *", null, 304, "", "" },
        { "GET " + Plain, "If-None-Match: \"x\"", null, 200, "", "hello" },
        { "GET " + Plain, "If-Modified-Since: {modified:plain}", null, 304, "", "" },
        { "GET " + Plain, "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT", null, 200, "", "hello" },
        { "GET " + Plain, "If-Modified-Since: whenever", null, 200, "", "hello" },
        { "GET " + Plain, "If-Match: \"x\"", null, 412, "", Failed },
        { "GET " + Plain, "If-Match: {etag:plain}", null, 200, "", "hello" },
        { "GET " + Plain, "If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT", null, 412, "", Failed },
        { "GET " + Plain, "If-Unmodified-Since: {modified:plain}", null, 200, "", "hello" },
        { "GET /buckets/seed/keys/none", "If-Match: *", null, 412, "", Failed },
        { "GET " + Plain, "Accept: text/*", null, 200, "", "hello" },
        { "GET " + Plain, "Accept: application/json, */*;q=0.1", null, 200, "", "hello" },
        { "GET " + Plain, "Accept: application/json", null, 406, "", "the object is not stored in a media type that the Accept header allows\n" },
        { "GET " + Plain, "Accept: text/plain;q=0, */*", null, 406, "", null },
        { "GET " + Plain + "?vtag={vtag:plain}", "", null, 200, "", "hello" },
        { "GET " + Plain + "?vtag=other", "", null, 404, "", "not found\n" },
        { "GET " + Two, "", null, 300, "Content-Type: text/plain\nX-Riak-Vclock: {vclock:two}\nETag: {etag:two}\nVary: Accept, Accept-Encoding\nLast-Modified: *", null },
        { "GET " + Two, "Accept: */*", null, 300, "Content-Type: text/plain", null },
        { "GET " + Two, "Accept: multipart/mixed", null, 300, "X-Riak-Vclock: {vclock:two}", null },
        { "GET " + Two, "Accept: application/json", null, 406, "", null },
        { "GET " + Two, "If-None-Match: {etag:two}", null, 304, "", "" },
        { "HEAD " + Two, "Accept: multipart/mixed", null, 300, "X-Riak-Vclock: {vclock:two}", "" },
        { "GET " + Two + "?vtag=none", "", null, 404, "", "not found\n" },
    };

    public static TheoryData<string, string, string?, int, string, string?> Writes => new()
    {
        { "PUT /buckets/w/keys/@", Text, "v", 204, "!Location", "" },
        { "POST /buckets/w/keys/@", Text, "v", 204, "!Location", "" },
        { "PUT /riak/w/@", Text, "v", 204, "", "" },
        { "PUT /types/siblings/buckets/w/keys/@", Text, "v", 204, "", "" },
        { "PUT /types/cache/buckets/w/keys/@?returnbody=true", Text, "v", 200, "", "v" },
        { "PUT /types/cache/buckets/w/keys/@", Text, new string('v', LoneNode.MemoryBackendBytes), 503, "Content-Type: text/plain", "overload\n" },
        { "GET /types/cache/buckets/w/index/$key/a", "", null, 500, "", "{error,{indexes_not_supported,memory}}\n" },
        { "PUT /buckets/w/keys/@?returnbody=true", Text + "; charset=latin1", "v", 200, "Content-Type: text/plain; charset=latin1\nX-Riak-Vclock: *\nETag: *\nLast-Modified: *", "v" },
        { "PUT /buckets/w/keys/@?returnbody=true", Text + "; version=2", "v", 200, "Content-Type: text/plain; version=2", "v" },
        { "PUT /buckets/w/keys/@?returnbody=false", Text, "v", 204, "", "" },
        { "POST /buckets/w/keys", Text, "v", 201, "Location: *", "" },
        { "POST /types/siblings/buckets/w/keys", Text, "v", 201, "Location: *", "" },
        { "POST /riak/w", Text, "v", 201, "Location: *", "" },
        { "POST /buckets/w/keys?returnbody=true", Text, "v", 201, "Location: *\nX-Riak-Vclock: *", "v" },
        { "PUT /buckets/w/keys/@", "", "v", 400, "Content-Type: text/plain", "Missing Content-Type request header\n" },
        { "POST /buckets/w/keys", "", "v", 400, "!Location", "Missing Content-Type request header\n" },
        { "PUT /buckets/w/keys/@?w=all&dw=1&pw=0&node_confirms=1&timeout=5000&sync_on_write=all", Text, "v", 204, "", "" },
        { "PUT /buckets/w/keys/@?w=x", Text, "v", 400, "", "w" + Quorum },
        { "PUT /buckets/w/keys/@?dw=x", Text, "v", 400, "", "dw" + Quorum },
        { "PUT /buckets/w/keys/@?pw=x", Text, "v", 400, "", "pw" + Quorum },
        { "PUT /buckets/w/keys/@?node_confirms=1.5", Text, "v", 400, "", "node_confirms" + Quorum },
        { "PUT /buckets/w/keys/@?w=4", Text, "v", 400, "", NValText },
        { "PUT /buckets/w/keys/@?dw=4", Text, "v", 400, "", NValText },
        { "PUT /buckets/w/keys/@?pw=4", Text, "v", 400, "", NValText },
        { "PUT /buckets/w/keys/@?node_confirms=4", Text, "v", 400, "", NValText },
        { "PUT /buckets/w/keys/@?returnbody=maybe", Text, "v", 400, "", "returnbody query parameter must be true or false\n" },
        { "PUT /buckets/w/keys/@?asis=maybe", Text, "v", 400, "", "asis query parameter must be true or false\n" },
        { "PUT /buckets/w/keys/@?asis=true", Text, "v", 204, "", "" },
        { "PUT /buckets/w/keys/@?timeout=x", Text, "v", 400, "", "Bad timeout value \"x\"\n" },
        { "PUT /buckets/w/keys/@?sync_on_write=some", Text, "v", 400, "", "sync_on_write query parameter must be one of the following words: 'backend', 'one' or 'all'\n" },
        { "PUT /types/nosuch/buckets/w/keys/@", Text, "v", 404, "", "Unknown bucket type: nosuch\n" },
        { "POST /types/sleeping/buckets/w/keys", Text, "v", 404, "!Location", "Unknown bucket type: sleeping\n" },
        { "PUT /buckets/w/keys/@", Text + "\nX-Riak-Vclock: ???", "v", 400, "", "Invalid X-Riak-Vclock header: it is not base64\n" },
        { "PUT /buckets/w/keys/@", Text + "\nX-Riak-Vclock: a85hYGBgzGDKBVIsbLvm1WYwJTLmsTLcjeE5ypcFAA==", "v", 400, "", "Invalid X-Riak-Vclock header: the context is of version 107, not 1, or no context at all\n" },
        { "PUT /buckets/w/keys/@", Text + "\nX-Riak-If-Not-Modified: !", "v", 400, "", "Invalid X-Riak-If-Not-Modified header: it is not base64\n" },
        { "PUT /buckets/w/keys/@", Text + "\nX-Riak-ClientId: abc", "v", 204, "", "" },
        { "PUT /buckets/w/keys/@", Text + "\nLink: nonsense", "v", 400, "", Unlinked },
        { "PUT /buckets/w/keys/@", Text + "\nLink: </a/b/c/d/e>; riaktag=\"x\"", "v", 400, "", Unlinked },
        { "PUT /buckets/w/keys/@", Text + "\nLink: </buckets/b/keys/%zz>; riaktag=\"x\"", "v", 400, "", Unlinked },
        { "PUT /buckets/w/keys/@?returnbody=true", Text + "\nLink: </buckets/w>; rel=\"up\", </riak/b/k>; riaktag=\"a,b\"", "v", 200, "Link: </buckets/w>; rel=\"up\", </buckets/b/keys/k>; riaktag=\"a,b\"", "v" },
        { "PUT /buckets/w/keys/@?returnbody=true", Text + "\nLink: </riak/b/k>; riaktag=\"a%20b%22%C3%A9\"", "v", 200, "Link: </buckets/w>; rel=\"up\", </buckets/b/keys/k>; riaktag=\"a b%22%C3%A9\"", "v" },
        { "PUT /buckets/w/keys/@?returnbody=true", Text + "\nLink: </riak/b/k>; riaktag=\"100%\"", "v", 200, "Link: </buckets/w>; rel=\"up\", </buckets/b/keys/k>; riaktag=\"100%25\"", "v" },
        { "PUT /buckets/w/keys/@", Text + "\nX-Riak-Index-age: 1", "v", 400, "", "Unknown field type for field: 'age'.\n" },
        { "PUT /buckets/w/keys/@", Text + "\nX-Riak-Index-age_int: old", "v", 400, "", "Could not parse field 'age_int', value 'old'.\n" },
        { "PUT /buckets/w/keys/@?returnbody=true", Text + "\nX-Riak-Index-a_bin: x,y", "v", 200, "x-riak-index-a_bin: x,y", "v" },
        { "PUT " + Plain, Text + "\nIf-None-Match: *", "v", 412, "", Failed },
        { "PUT /buckets/w/keys/@", Text + "\nIf-None-Match: *", "v", 204, "", "" },
        { "PUT " + Plain, Text + "\nIf-None-Match: {etag:plain}", "v", 412, "", Failed },
        { "PUT " + Plain, Text + "\nIf-Match: \"other\"", "v", 412, "", Failed },
        { "PUT /buckets/w/keys/@", Text + "\nIf-Match: *", "v", 412, "", Failed },
        { "PUT " + Plain, Text + "\nIf-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT", "v", 412, "", Failed },
        { "PUT " + One, Text + "\nX-Riak-If-Not-Modified: {vclock:two}", "v", 409, "", "the object is not the one that X-Riak-If-Not-Modified names\n" },
        { "PUT /buckets/w/keys/@", Text + "\nX-Riak-If-Not-Modified: {vclock:two}", "v", 409, "", null },
        { "PUT " + One, Text + "\nX-Riak-Vclock: {vclock:one}\nX-Riak-If-Not-Modified: {vclock:two}", "v", 409, "", null },
        { "PUT /types/once/buckets/w/keys/@?returnbody=true", Text, "v", 204, "!X-Riak-Vclock", "" },
        { "POST /types/once/buckets/w/keys?returnbody=true", Text, "v", 201, "Location: *\n!X-Riak-Vclock", "" },
        { "PUT /types/once/buckets/w/keys/@?w=1&dw=2&pw=3", Text, "v", 204, "", "" },
        { "PUT /types/once/buckets/w/keys/@?dw=4", Text, "v", 400, "", NValText },
        { "PUT /types/once/buckets/w/keys/@?node_confirms=2", Text, "v", 503, "", "node_confirms-value unsatisfied: 1/2\n" },
        { "PUT /types/once/buckets/w/keys/@", Text + "\nX-Riak-If-Not-Modified: {vclock:two}", "v", 400, "", "objects of a write-once bucket type have no history that could tell whether one was modified: if_none_match tells whether there is one\n" },
        { "PUT /types/once/buckets/w/keys/@", Text + "\nIf-None-Match: *", "v", 204, "", "" },
        { "DELETE /types/once/buckets/w/keys/@", "", null, 404, "!X-Riak-Deleted", "not found\n" },
        { "DELETE /buckets/w/keys/@", "", null, 404, "!X-Riak-Deleted", "not found\n" },
        { "DELETE /buckets/w/keys/@", "X-Riak-Vclock: {vclock:two}", null, 204, "", "" },
        { "DELETE /types/nosuch/buckets/w/keys/@", "", null, 404, "", "Unknown bucket type: nosuch\n" },
        { "DELETE " + Plain + "?rw=x", "", null, 400, "", "rw" + Quorum },
        { "DELETE " + Plain + "?rw=4", "", null, 400, "", NValText },
        { "DELETE " + Plain + "?r=x", "", null, 400, "", "r" + Quorum },
        { "DELETE " + Plain + "?timeout=x", "", null, 400, "", "Bad timeout value \"x\"\n" },
        { "DELETE " + Plain, "If-Match: \"other\"", null, 412, "", Failed },
        { "DELETE " + Plain, "X-Riak-Vclock: +", null, 400, "", "Invalid X-Riak-Vclock header: it is not base64\n" },
        { "DELETE /types/keeps/buckets/seed/keys/gone", "", null, 404, "X-Riak-Deleted: true\nX-Riak-Vclock: *", "not found\n" },
    };

    public static TheoryData<string, string, string?, int, string, string?> Others => new()
    {
        { "GET /ping", "", null, 200, "Content-Type: text/html", "OK" },
        { "HEAD /ping", "", null, 200, "Content-Length: 2", "" },
        { "POST /ping", "", "x", 405, "Allow: GET, HEAD", null },
        // foo/bar is Riak's golden vector: of 8 partitions, the third serves it first.
        { "GET /buckets/foo/keys/bar/preflist", "", null, 200, "Content-Type: application/json", "{\"preflist\":[{\"partition\":3,\"node\":\"node1\",\"primary\":true},{\"partition\":4,\"node\":\"node1\",\"primary\":true},{\"partition\":5,\"node\":\"node1\",\"primary\":true}]}" },
        { "GET /types/siblings/buckets/seed/keys/two/preflist", "", null, 200, "Content-Type: application/json", null },
        { "GET /types/nosuch/buckets/b/keys/k/preflist", "", null, 404, "", "Unknown bucket type: nosuch\n" },
        { "PUT /buckets/foo/keys/bar/preflist", Text, "v", 405, "Allow: GET, HEAD", null },
        { "GET /buckets/foo/keys/bar/preflist/x", "", null, 404, "", "not found\n" },
        { "GET /", "", null, 200, "Content-Type: text/html\nLink: *", null },
        { "GET /", "Accept: application/json", null, 200, "Content-Type: application/json\nLink: *", "{\"riak_kv_wm_bucket_type\":\"/types\",\"riak_kv_wm_buckets\":\"/buckets\",\"riak_kv_wm_counter\":\"/buckets\",\"riak_kv_wm_crdt\":\"/types\",\"riak_kv_wm_index\":\"/buckets\",\"riak_kv_wm_keylist\":\"/buckets\",\"riak_kv_wm_link_walker\":\"/buckets\",\"riak_kv_wm_mapred\":\"/mapred\",\"riak_kv_wm_object\":\"/buckets\",\"riak_kv_wm_ping\":\"/ping\",\"riak_kv_wm_preflist\":\"/buckets\",\"riak_kv_wm_props\":\"/buckets\",\"riak_kv_wm_stats\":\"/stats\"}" },
        { "GET /", "Accept: image/png", null, 406, "", null },
        { "GET /stats", "", null, 200, "Content-Type: application/json", null },
        { "GET /stats", "Accept: text/plain", null, 200, "Content-Type: text/plain", null },
        { "GET /stats", "Accept: image/png", null, 406, "", null },
        { "DELETE /stats", "", null, 405, "Allow: GET, HEAD", null },
        { "GET /nosuch", "", null, 404, "", "not found\n" },
        { "GET /buckets/b", "", null, 404, "", "not found\n" },
        { "GET /buckets/b/keys/k/more", "", null, 404, "", "not found\n" },
        { "GET /types/t/buckets/b/keys/k/more/still", "", null, 404, "", "not found\n" },
        { "GET /types/t", "", null, 404, "", "not found\n" },
        { "GET /mapred/more", "", null, 404, "", "not found\n" },
        { "GET /buckets/b/keys/%zz", "", null, 400, "", "malformed percent-encoding in the path\n" },
        { "GET /buckets/b/keys/%4", "", null, 400, "", "malformed percent-encoding in the path\n" },
        { "PATCH /buckets/b/keys/k", "", "x", 405, "Allow: GET, HEAD, POST, PUT, DELETE", null },
        { "OPTIONS /buckets/b/keys/k", "", null, 405, "Allow: GET, HEAD, POST, PUT, DELETE", null },
        { "PUT /buckets/b/keys", Text, "x", 405, "Allow: GET, HEAD, POST", null },
        { "DELETE /buckets/b/keys", "", null, 405, "Allow: GET, HEAD, POST", null },
        { "POST /buckets/b/props", Json, "{}", 405, "Allow: GET, HEAD, PUT, DELETE", null },
        { "DELETE /types/siblings/props", "", null, 405, "Allow: GET, HEAD, PUT", null },
        { "DELETE /riak/b", "", null, 405, "Allow: GET, HEAD, POST, PUT", null },
        { "GET /buckets/p0/props", "", null, 200, "Content-Type: application/json", null },
        { "GET /types/nosuch/buckets/p0/props", "", null, 404, "", "Unknown bucket type: nosuch\n" },
        { "GET /types/nosuch/props", "", null, 404, "", "Unknown bucket type: nosuch\n" },
        { "GET /types/sleeping/props", "", null, 404, "", "Unknown bucket type: sleeping\n" },
        { "GET /types/siblings/props", "", null, 200, "Content-Type: application/json", null },
        { "PUT /types/nosuch/props", Json, "{\"props\":{}}", 404, "", "Cannot modify unknown bucket type: nosuch\n" },
        { "PUT /types/sleeping/props", Json, "{\"props\":{}}", 404, "", "Cannot modify unknown bucket type: sleeping\n" },
        { "PUT /types/siblings/props", Json, "{\"props\":{\"write_once\":true}}", 400, Json, "{\"write_once\":\"Cannot set existing bucket type to `write_once`\"}" },
        { "PUT /types/siblings/props", Json, "{\"props\":{\"datatype\":\"set\"}}", 400, Json, "{\"datatype\":\"`datatype` must not be defined.\"}" },
        { "PUT /types/default/props", Json, "{\"props\":{\"r\":1}}", 409, "", "the properties of the type `default` are the nodes' configuration\n" },
        { "PUT /buckets/p1/props", Json, "{\"props\":{\"allow_mult\":true}}", 204, "", "" },
        { "PUT /buckets/p1/props", Json + "; charset=utf-8", "{\"props\":{\"n_val\":3}}", 204, "", "" },
        { "PUT /riak/p1", Json, "{\"props\":{\"n_val\":3}}", 204, "", "" },
        { "PUT /types/siblings/buckets/p1/props", Json, "{\"props\":{\"n_val\":3}}", 204, "", "" },
        { "PUT /buckets/p1/props", Json, "{\"props\":{\"n_val\":2}}", 400, Json, NValFixed },
        { "PUT /types/siblings/buckets/p1/props", Json, "{\"props\":{\"n_val\":4}}", 400, Json, NValFixed },
        { "PUT /types/nosuch/buckets/p1/props", Json, "{\"props\":{\"n_val\":2}}", 404, "", "Unknown bucket type: nosuch\n" },
        { "DELETE /buckets/p2/props", "", null, 204, "", "" },
        { "DELETE /types/siblings/buckets/p2/props", "", null, 204, "", "" },
        { "DELETE /types/nosuch/buckets/p2/props", "", null, 404, "", "Unknown bucket type: nosuch\n" },
        { "PUT /buckets/p3/props", Json, "{\"props\":{\"n_val\":0,\"allow_mult\":\"maybe\"}}", 400, Json, "{\"n_val\":\"not_integer\",\"allow_mult\":\"not_boolean\"}" },
        { "PUT /buckets/p3/props", Json, "{\"props\":{\"r\":0}}", 400, Json, "{\"r\":\"not_valid_quorum\"}" },
        { "PUT /buckets/p3/props", Json, "{\"props\":{\"sync_on_write\":\"x\"}}", 400, Json, "{\"sync_on_write\":\"not_valid_sync_param\"}" },
        { "PUT /buckets/p3/props", Json, "{\"props\":{\"write_once\":true}}", 400, Json, "{\"write_once\":\"cannot update write_once property\"}" },
        { "PUT /types/once/props", Json, "{\"props\":{\"write_once\":false}}", 400, Json, "{\"write_once\":\"Cannot modify write_once property once set to true\"}" },
        { "PUT /types/once/props", Json, "{\"props\":{\"write_once\":true,\"w\":2}}", 204, "", "" },
        { "PUT /types/once/buckets/p3/props", Json, "{\"props\":{\"write_once\":false}}", 400, Json, "{\"write_once\":\"Cannot modify write_once property once set to true\"}" },
        { "PUT /buckets/p3/props", Json, "{\"props\":{\"claimant\":\"me\"}}", 400, Json, "{\"claimant\":\"Cannot update claimant property\"}" },
        { "PUT /buckets/p3/props", Json, "{\"props\":{\"last_write_wins\":true,\"dvv_enabled\":true}}", 400, Json, "{\"dvv_enabled\":\"If last_write_wins is true, dvv_enabled must be false\"}" },
        { "PUT /buckets/p3/props", Json, "{\"props\":[]}", 400, "", BadProps },
        { "PUT /buckets/p3/props", Json, "{\"r\":1}", 400, "", BadProps },
        { "PUT /buckets/p3/props", Json, "nonsense", 400, "", BadProps },
        { "PUT /buckets/p3/props", Json, "", 400, "", BadProps },
        { "PUT /buckets/p3/props", Text, "{\"props\":{}}", 415, "", "the body's Content-Type must be application/json\n" },
        { "PUT /buckets/p3/props", "", "{\"props\":{}}", 415, "", null },
        { "GET /buckets", "", null, 200, Json, "{}" },
        { "GET /buckets/seed/keys", "", null, 200, Json, "{}" },
        { "GET /buckets/none/keys?keys=true", "", null, 200, Json, "{\"keys\":[]}" },
        { "GET /buckets/none/keys?keys=stream", "", null, 200, Json, "{\"keys\":[]}" },
        { "HEAD /buckets/none/keys?keys=true", "", null, 200, Json, "" },
        { "GET /types/siblings/buckets/none/keys?keys=true", "", null, 200, Json, "{\"keys\":[]}" },
        { "GET /types/keeps/buckets?buckets=true", "", null, 200, Json, "{\"buckets\":[\"seed\"]}" },
        { "GET /types/keeps/buckets?buckets=stream", "", null, 200, Json, "{\"buckets\":[\"seed\"]}{\"buckets\":[]}" },
        { "GET /types/nosuch/buckets?buckets=true", "", null, 404, "", "Unknown bucket type: nosuch\n" },
        { "GET /types/nosuch/buckets/b/keys?keys=true", "", null, 404, "", "Unknown bucket type: nosuch\n" },
        { "GET /buckets/b/keys?keys=true&timeout=x", "", null, 400, "", "Bad timeout value \"x\"\n" },
        { "GET /riak/none?props=false&keys=true", "", null, 200, Json, "{\"keys\":[]}" },
        { "GET /riak/none?props=false", "", null, 200, Json, "{}" },
    };

    [Theory, MemberData(nameof(Reads))]
    public Task Read_IsAnsweredAsRiakDoes(string request, string headers, string? body, int status, string expected, string? text) =>
        CheckAsync(request, headers, body, status, expected, text);

    [Theory, MemberData(nameof(Writes))]
    public Task Write_IsAnsweredAsRiakDoes(string request, string headers, string? body, int status, string expected, string? text) =>
        CheckAsync(request, headers, body, status, expected, text);

    [Theory, MemberData(nameof(Others))]
    public Task OtherResource_IsAnsweredAsRiakDoes(string request, string headers, string? body, int status, string expected, string? text) =>
        CheckAsync(request, headers, body, status, expected, text);

    private async Task CheckAsync(string request, string headers, string? body, int status, string expected, string? text)
    {
        var space = request.IndexOf(' ', StringComparison.Ordinal);
        var path = request[(space + 1)..].Replace("@", Guid.NewGuid().ToString("N"), StringComparison.Ordinal);
        using var answer = await server.SendAsync(request[..space], path, headers, body is null ? null : Encoding.UTF8.GetBytes(body));
        var answered = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(status == (int)answer.StatusCode, $"{(int)answer.StatusCode} {answered}");
        foreach (var line in expected.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            CheckHeader(answer, server.Fill(line));
        }

        Assert.Equal(text ?? answered, answered);
    }

    private static void CheckHeader(HttpResponseMessage answer, string line)
    {
        var (name, value) = line.IndexOf(':', StringComparison.Ordinal) is var colon && colon > 0 ? (line[..colon], line[(colon + 1)..].Trim()) : (line.TrimStart('!'), null);
        var there = answer.Headers.NonValidated.TryGetValues(name, out var values) || answer.Content.Headers.NonValidated.TryGetValues(name, out values);
        Assert.True(there == value is not null, $"{name} {(there ? "is" : "is not")} in the answer");
        if (value is not (null or "*"))
        {
            Assert.Equal(value, string.Join(", ", values));
        }
    }
}
