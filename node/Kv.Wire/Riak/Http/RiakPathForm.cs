namespace Kv.Wire.Riak.Http;

/// <summary>Riak's ways to write a path: `/types/T/buckets/B/keys/K`, `/buckets/B/keys/K`, `/riak/B/K`.</summary>
internal enum RiakPathForm
{
    Untyped,
    Typed,
    Old,
}
