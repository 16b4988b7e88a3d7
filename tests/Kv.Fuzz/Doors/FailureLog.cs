using System.Collections.Concurrent;
using Kv.Fuzz.Running;
using Microsoft.Extensions.Logging;

namespace Kv.Fuzz.Doors;

/// <summary>What a front end logs as an error: it answers each input in some way, and a bug only there and in its log.</summary>
internal sealed class FailureLog : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<string> errors = new();

    public void ThrowIfAny()
    {
        if (errors.TryDequeue(out var first))
        {
            errors.Clear();
            throw new FuzzFailure(first);
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            errors.Enqueue($"{formatter(state, exception)}: {exception}");
        }
    }

    public void Dispose()
    {
    }
}
