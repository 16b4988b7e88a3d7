namespace Kv.Benchmarks.Load;

/// <summary>One caller's way to a target. An operation that fails throws; it is counted and the caller goes on.</summary>
internal interface ILoadConnection : IAsyncDisposable
{
    ValueTask PutAsync(string key, ReadOnlyMemory<byte> value);

    /// <summary>Reads a key that is there; one that is missing is a failure.</summary>
    ValueTask GetAsync(string key);
}
