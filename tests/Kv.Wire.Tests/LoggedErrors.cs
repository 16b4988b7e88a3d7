using Microsoft.Extensions.Logging;

namespace Kv.Wire.Tests;

/// <summary>Errors as they are logged, each with the message of its exception.</summary>
internal sealed class LoggedErrors : ILoggerProvider, ILogger
{
    private readonly Lock gate = new();
    private readonly List<string> errors = [];

    public IReadOnlyList<string> Errors
    {
        get
        {
            lock (gate)
            {
                return [.. errors];
            }
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel >= LogLevel.Error)
        {
            lock (gate)
            {
                errors.Add($"{formatter(state, exception)}: {exception?.Message}");
            }
        }
    }

    public void Dispose()
    {
    }
}
