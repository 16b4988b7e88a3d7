namespace Kv.Operator.Tests.Stubs;

/// <summary>The operator's process is gone: nothing of the pass it was in is written any more.</summary>
internal sealed class OperatorStoppedException : Exception;
