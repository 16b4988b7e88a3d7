namespace Kv.Benchmarks.Load;

/// <summary>A row of the table: rates per second, latencies in milliseconds, CPU in microseconds an operation.</summary>
internal sealed record LoadResult(
    string Target,
    string Operation,
    int Callers,
    double OperationsPerSecond,
    double P50,
    double P95,
    double P99,
    double ServerCpu,
    double ClientCpu,
    long Failures,
    string? FirstFailure);
