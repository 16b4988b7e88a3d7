namespace Kv.Core.MapReduce;

/// <summary>Why a job is not begun: what it says makes no sense, or names what is not there. <paramref name="Text"/> is for whoever wrote it.</summary>
public sealed record MapReduceProblem(MapReduceProblemKind Kind, string Text);
